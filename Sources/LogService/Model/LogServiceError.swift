// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A refusal in the vendor's terms; source: sls.md section 5.
public struct LogServiceError: Error, Equatable, CustomStringConvertible {
    /// Of the HTTP answer.
    public var status: Int
    public var code: String
    public var message: String

    public init(_ status: Int, _ code: String, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    public var description: String { "\(code): \(message)" }

    public static func parameter(_ message: String) -> LogServiceError { .init(400, "ParameterInvalid", message) }
    public static func noProject(_ name: String) -> LogServiceError {
        .init(404, "ProjectNotExist", "The Project does not exist : \(name)")
    }
    public static func noLogstore(_ name: String) -> LogServiceError {
        .init(404, "LogStoreNotExist", "logstore \(name) does not exist")
    }
}
