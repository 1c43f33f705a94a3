// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An RPC-style request, read but not yet believed: which operation is meant, with which parameters, signed how.
///
/// Operation and version are those that the signature covers. A V1 request repeats them in `x-acs-` headers that nobody
/// signed, and a V3 request may carry an `Action` parameter that means nothing; both are passed over.
public struct RPCCall: Sendable {
    public let request: WireRequest
    public let action: String?
    public let version: String?
    /// Query first, then a form body.
    public let parameters: WireParameters
    /// The key the sender claims to hold; not proved.
    public let claimedAccessKeyId: String?

    /// The query alone, which is what V3 signs.
    let query: WireParameters
    /// Kept as a result so that an unknown operation can be refused before a bad signature is (actiontrail.md 21.2).
    let credentials: Result<RPCCredentials, AuthenticationFailure>

    /// - Throws: for a request that is too large or cannot be decoded, whoever sent it.
    public init(_ request: WireRequest, limits: WireLimits = WireLimits()) throws(AuthenticationFailure) {
        do throws(WireFault) {
            try request.check(limits)
            query = try WireParameters(decoding: request.rawQuery, limits: limits)
            var parameters = query
            if request.isForm && !request.body.isEmpty {
                if request.body.count > limits.formBytes {
                    throw .tooLong(part: "form body", limit: limits.formBytes)
                }
                parameters.append(try WireParameters(decoding: request.body, part: "form body", limits: limits))
                if parameters.all.count > limits.parameters {
                    throw .tooMany(things: "parameters", limit: limits.parameters)
                }
            }
            self.parameters = parameters
        } catch {
            throw .unreadable(error)
        }
        self.request = request

        let authorization = request.header("authorization")
        let isV3 = ["ACS3-", "ACS4-"].contains { authorization?.utf8.starts(with: $0.utf8) ?? false }
        let isV1 = !isV3 && parameters["Signature"] != nil
        action = isV1 ? parameters["Action"] : request.header("x-acs-action") ?? parameters["Action"]
        version = isV1 ? parameters["Version"] : request.header("x-acs-version") ?? parameters["Version"]
        do throws(AuthenticationFailure) {
            if let authorization, isV3 {
                credentials = .success(.acs3(try ACS3Credentials(authorization, request: request, limits: limits)))
            } else if isV1 {
                credentials = .success(.v1(try RPCV1Credentials(parameters, limits: limits)))
            } else if request.header("x-acs-bearer-token") != nil {
                throw .unknownBearerToken
            } else if authorization != nil {
                throw .incompleteSignature("The Authorization header names no known algorithm.")
            } else {
                throw .missing("AccessKeyId")
            }
        } catch {
            credentials = .failure(error)
        }
        claimedAccessKeyId =
            switch credentials {
            case .success(let credentials): credentials.accessKeyId
            case .failure(let failure): failure.claimedAccessKeyId
            }
    }
}

enum RPCCredentials: Sendable {
    case acs3(ACS3Credentials)
    case v1(RPCV1Credentials)

    var accessKeyId: String {
        switch self {
        case .acs3(let credentials): credentials.accessKeyId
        case .v1(let credentials): credentials.accessKeyId
        }
    }
}
