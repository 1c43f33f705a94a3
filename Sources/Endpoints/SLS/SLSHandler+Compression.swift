// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService

/// Bodies of answers, compressed where the client asks for it; source: sls.md section 3.
extension SLSHandler {
    private static let largestCompressed = 1 << 30

    /// By `Accept-Encoding`. Ordinary HTTP clients ask for gzip, which is not what is offered here.
    private var acceptedCompression: LogCompression {
        let names = (call.request.header("accept-encoding") ?? "").lowercased().split(separator: ",")
            .compactMap { $0.split(separator: ";").first }
            .map { String($0).filter { $0 != " " && $0 != "\t" } }
        return names.lazy.compactMap { ["lz4": LogCompression.lz4, "zstd": .zstd][$0] }.first ?? .none
    }

    func compressed(_ body: [UInt8]) -> WireAnswer {
        let (bytes, headers) = compress(body)
        return Self.json(bytes, headers: headers.isEmpty ? [] : headers + [("x-log-bodyrawsize", String(body.count))])
    }

    /// - Returns: the header that tells the compression, if there is one.
    func compress(_ body: [UInt8]) -> (bytes: [UInt8], headers: [(name: String, value: String)]) {
        let compression = acceptedCompression
        guard compression != .none, !body.isEmpty, body.count <= Self.largestCompressed else { return (body, []) }
        return (compression.compress(body), [("x-log-compresstype", compression.rawValue)])
    }
}
