// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation

/// A whole answer of a log service.
public struct SLSResponse: Sendable {
    public var status: Int
    /// Names in lower case.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public subscript(name: String) -> String? { headers.first { $0.name == name }?.value }

    var date: WireTime? { self["date"].flatMap { WireTime(httpDate: $0) } }
}

/// Why a request to a log service was not answered with 200. Holds no secret, token or signature.
public struct SLSClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Codes for what no service said.
    public static let noAnswer = "NoAnswer"
    public static let badAnswer = "BadAnswer"
    public static let badEndpoint = "BadEndpoint"

    /// Of the answer; 0 if there was none.
    public var status: Int
    /// `errorCode` of the answer, or one of the codes above; empty if the answer has none.
    public var code: String
    /// Short and on one line.
    public var message: String
    public var requestId: String?
    /// Seconds that the service asked to wait.
    public var retryAfter: Int?

    public init(status: Int, code: String, message: String, requestId: String? = nil, retryAfter: Int? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.requestId = requestId
        self.retryAfter = retryAfter
    }

    init(_ answer: SLSResponse) {
        let fields = (try? JSONSerialization.jsonObject(with: Data(answer.body))) as? [String: Any] ?? [:]
        self.init(
            status: answer.status, code: String(ForeignAnswer.plain(fields["errorCode"] as? String ?? "").prefix(100)),
            message: ForeignAnswer.plain(fields["errorMessage"] as? String ?? "the answer gives no reason"),
            requestId: answer["x-log-requestid"].map { String($0.prefix(64)) },
            retryAfter: ForeignAnswer.retryAfter(answer["retry-after"], date: answer.date))
    }

    public var description: String {
        let parts = [status == 0 ? "" : String(status), code].filter { !$0.isEmpty }.joined(separator: " ")
        return "\(parts): \(message)" + (requestId.map { " (request \($0))" } ?? "")
    }
}
