// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Why a request is not believed, in the words of the wire.
public struct AuthenticationFailure: Error, Sendable {
    /// An element of an OSS error beyond code and message, such as `StringToSign`.
    public struct Detail: Sendable, Hashable {
        public let name: String
        public let value: String
    }

    public let code: String
    public let httpStatus: Int
    /// Fit to be recorded and logged.
    public let message: String
    /// What the client is told: for a wrong signature it holds the text that the server signed, and with it every
    /// parameter of the request. So it goes back to the sender and nowhere else.
    public let wireMessage: String
    /// For the client alone, like `wireMessage`.
    public let details: [Detail]
    /// OSS's finer error code, the `EC` element and `x-oss-ec` header, where one is known.
    public let errorDetailCode: String?
    /// The key the sender claimed to hold, for the record of the refusal. Nobody has proved anything about it.
    public var claimedAccessKeyId: String?

    init(
        _ code: String, _ httpStatus: Int, _ message: String, wireMessage: String? = nil, details: [Detail] = [],
        errorDetailCode: String? = nil, claimedAccessKeyId: String? = nil
    ) {
        self.code = code
        self.httpStatus = httpStatus
        self.message = message
        self.wireMessage = wireMessage ?? message
        self.details = details
        self.errorDetailCode = errorDetailCode
        self.claimedAccessKeyId = claimedAccessKeyId
    }

    func claiming(_ accessKeyId: String?) -> AuthenticationFailure {
        var failure = self
        failure.claimedAccessKeyId = accessKeyId
        return failure
    }
}

extension AuthenticationFailure: Discreet {
    public var description: String { "\(httpStatus) \(code): \(message)" }
}
