// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import TestSupport

/// The sample of a log group.
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

    static let sample = (SharedFolder.vectors("sls-requests.json") as WireVectors?)?.logGroupSample

    static func bytes(_ base64: String) -> [UInt8] { [UInt8](Data(base64Encoded: base64) ?? Data()) }
}
