// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService

/// The sample of a log group, which lies outside the repository: in `$CAIRN_SHARED`, or beside the package.
struct WireVectors: Decodable {
    struct Sample: Decodable {
        struct Part: Decodable {
            let protobufBase64: String
        }

        let protobufBase64, lz4BlockBase64, lz4LiteralsOnlyBase64, zstdBase64, zlibDeflateBase64: String
        let rawSize: Int
        let tiny, logGroupList: Part
    }

    let logGroupSample: Sample

    static let missing = "no reference/vectors in $CAIRN_SHARED or beside the package"

    static let sample: Sample? = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let shared =
            ProcessInfo.processInfo.environment["CAIRN_SHARED"].map { URL(filePath: $0) }
            ?? root.deletingLastPathComponent().appending(path: "shared")
        guard let data = try? Data(contentsOf: shared.appending(path: "reference/vectors/sls-requests.json")) else { return nil }
        do { return try JSONDecoder().decode(WireVectors.self, from: data).logGroupSample } catch {
            fatalError("sls-requests.json has another layout than the tests know: \(error)")
        }
    }()

    static func bytes(_ base64: String) -> [UInt8] { [UInt8](Data(base64Encoded: base64) ?? Data()) }
}

/// SplitMix64, so that a seed in a failure message is enough to see it again.
struct WireGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
