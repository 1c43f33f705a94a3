// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the background work did, for the events that tell of it.
public struct KeyMaintenance: Sendable {
    /// Keys that got a new version.
    public internal(set) var rotated: [KeyRecord] = []
    /// Keys whose deletion window was over.
    public internal(set) var deleted: [KeyRecord] = []
    /// Keys whose imported material had expired.
    public internal(set) var expired: [KeyRecord] = []
    /// Keys where something was due and could not be done; it is tried again the next time.
    public internal(set) var failures: [(key: KeyRecord, error: any Error)] = []
}

extension KeyService {
    /// Does what is due by the clock: deletes, erases expired material and import parameters, rotates. For a call every
    /// minute or so; one key's trouble holds no other up.
    public func maintain() -> KeyMaintenance {
        var done = KeyMaintenance()
        let now = now
        for cell in table.withLock({ Array($0.customers.values) }) {
            let record = cell.record
            do {
                if record.state == .pendingDeletion, let end = record.deleteAt, end <= now {
                    if try delete(cell, dueBy: now) { done.deleted.append(record) }
                    continue
                }
                if let expiry = record.materialExpiresAt, expiry <= now {
                    let isErased = try change(cell) { content in
                        guard let expiry = content.record.materialExpiresAt, expiry <= now else { return false }
                        content.eraseMaterial()
                        return true
                    }
                    if isErased { done.expired.append(cell.record) }
                }
                if record.state == .enabled, let next = record.nextRotationAt, next <= now {
                    let isRotated = try change(cell) { content in
                        guard content.record.state == .enabled, let next = content.record.nextRotationAt, next <= now else {
                            return false
                        }
                        try rotate(&content)
                        return true
                    }
                    if isRotated { done.rotated.append(cell.record) }
                }
                if cell.content.offers.contains(where: { $0.expiresAt <= now }) {
                    try change(cell) { $0.offers.removeAll { $0.expiresAt <= now } }
                }
            } catch KeyError.keyNotFound {
                // Deleted meanwhile.
            } catch { done.failures.append((record, error)) }
        }
        renewServiceKeys(&done)
        return done
    }

    /// Seconds after which a key of the service gets a new version.
    private static var serviceKeyLife: Int64 { 365 * KeyRules.day }

    private func renewServiceKeys(_ done: inout KeyMaintenance) {
        for cell in table.withLock({ Array($0.service.values) }) {
            let record = cell.record
            guard let newest = cell.content.versions.map(\.createdAt).max(), newest + Self.serviceKeyLife <= now,
                let purpose = record.purpose
            else { continue }
            do {
                try rotateServiceKey(purpose)
                done.rotated.append(record)
            } catch { done.failures.append((record, error)) }
        }
    }

    /// Deletes a key for good: record, versions, aliases, import parameters, in one transaction.
    private func delete(_ cell: KeyCell, dueBy now: Int64) throws -> Bool {
        try writing.withLock { _ in
            let content = cell.content
            let record = content.record
            // Cancelled while we waited.
            guard record.state == .pendingDeletion, let end = record.deleteAt, end <= now else { return false }
            let scope = KeyScope(account: record.account, region: record.region)
            let aliases = table.withLock { $0.aliases[scope] ?? [:] }.filter { $0.value == record.id }.keys.sorted()
            try metadata.transact { try KeyStore.delete(content, aliases: aliases, in: $0) }
            table.withLock { table in
                table.customers[record.id] = nil
                for version in content.versions { table.versions[version.id] = nil }
                for alias in aliases { table.aliases[scope]?[alias] = nil }
            }
            cell.delete()
            return true
        }
    }
}

extension KeyCell.Content {
    /// Takes imported material away; the version stays, for the same material to come back to.
    mutating func eraseMaterial() {
        for index in versions.indices { versions[index].sealed = nil }
        record.materialExpiresAt = nil
        if record.state != .pendingDeletion { record.state = .pendingImport }
    }
}
