// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// Listing all versions.
extension EmbeddedObjectStore {
    /// Objects, older versions and delete markers: by key in byte order, of one key the newest first.
    ///
    /// - Parameters:
    ///   - afterKey: go on after this key; empty begins.
    ///   - afterVersionId: go on after this version of `afterKey`; empty: after all of its versions.
    public func versions(bucket name: String, prefix: String, afterKey: String, afterVersionId: String, limit: Int) throws
        -> [ObjectVersion]
    {
        let bucket = try requiredBucket(name)
        var current = try objects(bucket: name, prefix: prefix, after: afterKey, limit: limit)[...]
        var older = try table.versions(
            bucket: name, prefix: prefix, after: position(name, afterKey, afterVersionId), limit: limit, in: metadata
        )[...]
        var result: [ObjectVersion] = []
        // The newest of a key comes first: whatever follows an entry of the same key is older.
        var lastKey = afterVersionId.isEmpty ? nil : afterKey
        while result.count < limit {
            let next: ObjectVersion
            if var object = current.first, older.first.map({ !$0.key.utf8.lexicographicallyPrecedes(object.key.utf8) }) ?? true {
                current.removeFirst()
                if bucket.versioning != nil { object.versionId = object.versionId ?? "null" }
                next = ObjectVersion(content: .object(object), isLatest: true)
            } else if let entry = older.popFirst() {
                next = ObjectVersion(
                    content: entry.content, isLatest: lastKey.map { !$0.utf8.elementsEqual(entry.key.utf8) } ?? true)
            } else {
                break
            }
            lastKey = next.key
            result.append(next)
        }
        return result
    }

    private func position(_ bucket: String, _ key: String, _ versionId: String) throws -> String {
        guard !key.isEmpty else { return "" }
        guard !versionId.isEmpty else { return table.versionsEnd(bucket: bucket, key: key) }
        return try table.position(ofVersion: versionId, bucket: bucket, key: key, in: metadata)
    }
}
