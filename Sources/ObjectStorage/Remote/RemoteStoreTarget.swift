// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A target in another store: OSS and S3 differ in how an object is written and what protects it, not in how it is read.
protocol RemoteStoreTarget: DeliveryTarget {
    var store: RemoteStore { get }
}

extension RemoteStoreTarget {
    var bucket: RemoteBucket { store.bucket }

    var location: String { store.place.description }

    func read(_ key: String) async throws -> [UInt8]? { try await store.read(key) }

    func list(prefix: String, after marker: String) async throws -> [TargetEntry] {
        try await store.list(prefix: prefix, after: marker)
    }
}
