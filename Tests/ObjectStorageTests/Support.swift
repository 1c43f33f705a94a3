// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import KeyManagement
import Metadata
import ObjectStorage

/// A store on a disk in memory, as it may be found again after a power loss.
struct World {
    var disk = MemoryDisk()
    let metadata: Metadata

    init() throws {
        metadata = try Metadata(path: nil)
        _ = try open().createBucket("bucket", owner: "1")
    }

    func open() throws -> EmbeddedObjectStore {
        try EmbeddedObjectStore(
            folder: "objects", region: "local-1", disk: disk,
            keys: KeyService(metadata: metadata, rootKeyPath: "keys/root.key", disk: disk),
            metadata: metadata, now: { Date(timeIntervalSince1970: 1_767_225_600) })
    }

    func files() throws -> [String] { try disk.list("objects/bucket") }
}

func bytes(_ count: Int, seed: UInt8 = 1) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) ^ seed } }

extension EmbeddedObjectStore {
    func content(_ key: String, _ range: Range<Int64>? = nil) async throws -> [UInt8]? {
        guard let object = try object(bucket: "bucket", key: key) else { return nil }
        var content: [UInt8] = []
        try await read(object, range: range ?? 0..<object.size) { content += $0 }
        return content
    }
}
