// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a request may cost before its sender is known.
///
/// Source: actiontrail.md section 21 asks for a cap on query and body and suggests 64 KiB and 1 MiB; the rest is ours.
public struct WireLimits: Sendable {
    public var queryBytes = 64 << 10
    public var pathBytes = 16 << 10
    public var parameters = 1000
    public var headers = 200
    public var headerBytes = 64 << 10
    /// A form body is taken apart into parameters, so it is bounded like a query; other bodies are the endpoint's affair.
    public var formBytes = 1 << 20
    public var nonceBytes = 256

    public init() {}
}

/// Why a request cannot be read, whatever its signature.
public enum WireFault: Error, Sendable, Hashable {
    case tooLong(part: String, limit: Int)
    case tooMany(things: String, limit: Int)
    /// A `%` without two hex digits behind it, or bytes that are not UTF-8.
    case badEncoding(part: String)

    public var message: String {
        switch self {
        case .tooLong(let part, let limit): "The \(part) is longer than \(limit) bytes."
        case .tooMany(let things, let limit): "The request has more than \(limit) \(things)."
        case .badEncoding(let part): "The \(part) is not percent-encoded UTF-8."
        }
    }
}

extension WireRequest {
    func check(_ limits: WireLimits) throws(WireFault) {
        if rawPath.utf8.count > limits.pathBytes { throw .tooLong(part: "path", limit: limits.pathBytes) }
        if rawQuery.utf8.count > limits.queryBytes { throw .tooLong(part: "query", limit: limits.queryBytes) }
        if headers.count > limits.headers { throw .tooMany(things: "headers", limit: limits.headers) }
        let headerBytes = headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        if headerBytes > limits.headerBytes { throw .tooLong(part: "header block", limit: limits.headerBytes) }
    }
}
