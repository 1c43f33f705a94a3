// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine
import LogService

/// PutLogs: all of a group is stored, or none of it. Source: sls.md section 7.3.
extension SLSHandler {
    /// Seconds before and after now in which the time of a log must lie; source: sls.md section 12.
    private static let acceptedTimes: (past: Int64, future: Int64) = (7 * 86_400, 15 * 60)

    func putLogs(into logstore: Logstore) async throws -> WireAnswer {
        let request = call.request
        guard let type = request.header("content-type"), !type.isEmpty else {
            throw LogServiceError(400, "MissingContentType", "The header Content-Type is missing.")
        }
        guard type.lowercased().hasPrefix("application/x-protobuf") else {
            throw LogServiceError(415, "InvalidContentType", "The body must be application/x-protobuf.")
        }
        let compression = try LogCompression(header: request.header("x-log-compresstype"))
        let rawSize = try readRawSize(compression)
        // What the body becomes counts as much as the body.
        guard services.budget.take(rawSize) else { throw SLSPort.busy }
        defer { services.budget.give(rawSize) }
        let body = body
        var group = try await LongWork.run {
            try LogGroupCodec.decode(try compression.decompress(body, rawSize: rawSize))
        }
        try checkTimes(of: group)
        guard !group.logs.isEmpty else { return Self.empty }
        if logstore.appendMeta {
            group.tags.append(Log.Field("__client_ip__", request.peerAddress))
            group.tags.append(Log.Field("__receive_time__", String(services.wireNow.secondsSince1970)))
        }
        let hashKey = call.path.last == "route" ? try parameters.filled("key") : nil
        try await services.logs.put(group, into: logstore, hashKey: hashKey)
        return Self.empty
    }

    /// The header counts only for a compressed body: clients send 0 with plain ones.
    private func readRawSize(_ compression: LogCompression) throws(LogServiceError) -> Int {
        guard compression != .none else { return body.count }
        guard let text = call.request.header("x-log-bodyrawsize") else {
            throw LogServiceError(400, "MissingBodyRawSize", "The header x-log-bodyrawsize is missing.")
        }
        guard let size = Int(text), size >= 0 else {
            throw LogServiceError(400, "InvalidBodyRawSize", "The header x-log-bodyrawsize is no size.")
        }
        guard size <= LogCompression.maximumRawSize else {
            throw LogServiceError(400, "PostBodyTooLarge", "body size \(size) exceeds \(LogCompression.maximumRawSize) bytes")
        }
        return size
    }

    private func checkTimes(of group: LogGroup) throws(LogServiceError) {
        let now = services.wireNow.secondsSince1970
        let accepted = now - Self.acceptedTimes.past...now + Self.acceptedTimes.future
        for log in group.logs where !accepted.contains(Int64(log.time)) {
            throw LogServiceError(
                400, "PostBodyInvalid",
                "the time \(log.time) of a log is more than 7 days before or 15 minutes after the time of the service, \(now)")
        }
    }
}
