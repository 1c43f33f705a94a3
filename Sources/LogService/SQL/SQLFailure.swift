// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Why a query cannot be understood or carried out.
struct SQLFailure: Error {
    enum Kind {
        /// The text is not SQL as it is understood here.
        case syntax
        case unknownColumn
        case unknownFunction
        case typeMismatch
        case unsupported
        /// The data do not allow it: division by zero, a text that is no number. TRY turns it into NULL.
        case data
        /// More time, memory or rows than a query gets.
        case limit
        case cancelled
    }

    var kind: Kind
    var message: String
    /// Byte of the query's SQL where it went wrong, if known.
    var position: Int?

    static func data(_ message: String) -> SQLFailure { SQLFailure(kind: .data, message: message, position: nil) }
    static func limit(_ message: String) -> SQLFailure { SQLFailure(kind: .limit, message: message, position: nil) }

    /// The vendor's words; source: sls.md section 5, "Messages of query errors". The SQL begins at byte `offset` of `query`;
    /// lines and columns count from 1, columns in code points.
    func error(in query: String, offset: Int) -> LogServiceError {
        let type =
            switch kind {
            case .syntax: "SYNTAX_ERROR"
            case .unknownColumn: "COLUMN_NOT_EXISTS"
            case .unknownFunction: "FUNCTION_NOT_FOUND"
            case .typeMismatch: "TYPE_MISMATCH"
            case .unsupported: "NOT_SUPPORTED"
            case .data: "INVALID_FUNCTION_ARGUMENT"
            case .limit: "EXCEEDED_LIMIT"
            case .cancelled: "USER_CANCELED"
            }
        var line = 1
        var column = 1
        for scalar in String(decoding: query.utf8.prefix(offset + (position ?? 0)), as: UTF8.self).unicodeScalars {
            if scalar == "\n" {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
        return .parameter("ErrorType:\(type).ErrorPosition,line:\(line),column:\(column).ErrorMessage:\(message)")
    }
}
