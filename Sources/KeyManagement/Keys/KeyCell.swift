// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Synchronization

/// One key in memory: its record, its sealed versions, and the plain material of those that were used.
///
/// Plain material is here only while the key is enabled: whatever takes that state away wipes it in the same step.
final class KeyCell: Sendable {
    struct Content: Sendable, Equatable {
        var record: KeyRecord
        /// Oldest first.
        var versions: [SealedVersion]
        /// Oldest first.
        var offers: [ImportOffer]
    }

    private struct Held {
        var content: Content
        var isDeleted = false
        var material: [UUID: SymmetricKey] = [:]
    }

    private let held: Mutex<Held>

    init(_ content: Content) { held = Mutex(Held(content: content)) }

    /// A key of one version, with its material at hand.
    init(_ content: Content, material: SymmetricKey) {
        held = Mutex(Held(content: content, material: [content.versions[0].id: material]))
    }

    var content: Content { held.withLock { $0.content } }
    var record: KeyRecord { held.withLock { $0.content.record } }

    func replace(_ content: Content) {
        held.withLock { held in
            held.content = content
            if content.record.state != .enabled {
                held.material = [:]
            } else if !held.material.isEmpty {
                let present = Set(content.versions.filter { $0.sealed != nil }.map(\.id))
                held.material = held.material.filter { present.contains($0.key) }
            }
        }
    }

    func delete() {
        held.withLock { held in
            held.isDeleted = true
            held.material = [:]
            held.content.versions = []
            held.content.offers = []
        }
    }

    /// - Throws: the key's state, if it cannot be used.
    func checkUsable(at now: () -> Int64) throws(KeyError) {
        if let refusal = held.withLock({ Self.refusal($0, now) }) { throw refusal }
    }

    /// A version's material; the newest one's without an id.
    ///
    /// - Parameter open: opens a sealed version with the root, when it is used for the first time.
    func material(
        of version: UUID?, at now: () -> Int64, open: (KeyCell, UUID) throws -> SymmetricKey
    ) throws -> (version: UUID, key: SymmetricKey) {
        let (id, cached) = try held.withLock { held in
            if let refusal = Self.refusal(held, now) { throw refusal }
            guard let id = version ?? held.content.record.newestVersion else { throw KeyError.rejected(.pendingImport) }
            return (id, held.material[id])
        }
        if let cached { return (id, cached) }
        let key = try open(self, id)
        try held.withLock { held in
            // It may have been disabled meanwhile.
            if let refusal = Self.refusal(held, now) { throw refusal }
            if held.content.versions.contains(where: { $0.id == id && $0.sealed != nil }) { held.material[id] = key }
        }
        return (id, key)
    }

    /// Versions whose plain material is in memory.
    var openVersions: Int { held.withLock { $0.material.count } }

    private static func refusal(_ held: Held, _ now: () -> Int64) -> KeyError? {
        let record = held.content.record
        if held.isDeleted { return .keyNotFound(record.id) }
        if let refusal = KeyAction.use.refusal(in: record.state) { return refusal }
        // Expired, though the background work has not come by yet.
        if let expiry = record.materialExpiresAt, expiry <= now() { return .rejected(.pendingImport) }
        return nil
    }
}
