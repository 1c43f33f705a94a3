// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import EventHistory
import MerkleLog

/// The log as C2SP tlog-tiles has it, read-only under `/log/`: anyone may mirror and check it, for it holds hashes
/// only. Source: tlog-tiles v0.1.0.
struct LogEndpoint: Sendable {
    let services: EndpointServices

    func answer(_ request: WireRequest) -> WireAnswer {
        guard request.method == "GET" || request.method == "HEAD" else {
            return .text("only GET\n", status: 405, headers: [("Allow", "GET, HEAD")])
        }
        let path = String(request.rawPath.dropFirst("/log/".count))
        do {
            switch path {
            case "checkpoint":
                return .text(
                    try services.history.signedLog.checkpoint().encoded, headers: [("Cache-Control", "max-age=2")])
            case "key":
                return .text(services.history.signedLog.verifierKey + "\n")
            default:
                guard path.hasPrefix("tile/"), let tile = TilePath(path: String(path.dropFirst("tile/".count))),
                    let content = try content(of: tile)
                else { return .text("not found\n", status: 404) }
                return WireAnswer(
                    status: 200,
                    headers: [
                        ("Content-Type", "application/octet-stream"), ("Cache-Control", "public, max-age=31536000, immutable"),
                    ], body: content)
            }
        } catch {
            services.logger.error("the log cannot be read", metadata: ["path": "\(path)", "error": "\(error)"])
            return .text("the log cannot be read at present\n", status: 503)
        }
    }

    private func content(of tile: TilePath) throws -> [UInt8]? {
        let history = services.history
        guard tile.exists(inTreeOfSize: history.treeSize) else { return nil }
        switch tile.kind {
        case .hashes(let level):
            return try history.tile(level: level, index: tile.index, width: tile.width)?.flatMap(\.bytes)
        case .entries:
            let first = tile.index * 256
            return try history.commitments(first..<first + UInt64(tile.width))?.flatMap { entry in
                [0, UInt8(MerkleHash.byteCount)] + entry.bytes
            }
        }
    }
}
