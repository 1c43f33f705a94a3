// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import Metadata

/// The root that everything is under at present.
struct RootInForce: Sendable {
    let key: any RootKey
    var record: RootRecord
    /// Of a root in a file.
    let path: String?

    /// Opens the root of a data folder, makes one for a new folder, and brings the keys of the first version of Cairn
    /// into their present form.
    static func open(
        _ setting: RootOfTrust, metadata: Metadata, disk: any Disk, scryptRounds: Int, now: Int64
    ) throws -> RootInForce {
        guard let record = try stored(metadata) else {
            let root = try make(setting, metadata: metadata, disk: disk, scryptRounds: scryptRounds)
            try metadata.transact { transaction in
                try migrate(to: root.key, now: now, in: transaction)
                try transaction.put(root.record, at: RootRecord.path)
            }
            return root
        }
        guard record.kind == setting.kind else {
            throw KeyError.otherRoot(stored: record.kind.rawValue, given: setting.kind.rawValue)
        }
        var root: RootInForce
        switch setting {
        case .file(let path):
            root = RootInForce(key: try RootFile(path: path, disk: disk).root(for: record), record: record, path: path)
        case .passphrase(let passphrase):
            guard let scrypt = record.scrypt else { throw KeyError.damaged(key: "root") }
            root = RootInForce(key: try scrypt.root(of: passphrase), record: record, path: nil)
            guard try record.isOf(root.key) else { throw KeyError.wrongPassphrase }
        case .token(let module, let token, let label, let pin):
            root = RootInForce(
                key: try TokenRoot(modulePath: module, tokenLabel: token, keyLabel: label, pin: pin), record: record, path: nil)
            guard try record.isOf(root.key) else { throw KeyError.wrongRoot(kind: "\(setting)") }
        }
        try root.removeRetired(metadata: metadata, disk: disk)
        return root
    }

    private static func stored(_ metadata: Metadata) throws -> RootRecord? {
        guard let entry = try metadata.entry(RootRecord.path) else { return nil }
        do { return try JSONDecoder().decode(RootRecord.self, from: Data(entry.value)) } catch {
            throw KeyError.damaged(key: "root")
        }
    }

    /// The root of a folder that has no record of one: new, or of the first version, which knew files only.
    private static func make(
        _ setting: RootOfTrust, metadata: Metadata, disk: any Disk, scryptRounds: Int
    ) throws -> RootInForce {
        let hasKeys = try !metadata.entries(prefix: "keys/", limit: 1).isEmpty
        guard case .file(let path) = setting else {
            guard !hasKeys else { throw KeyError.otherRoot(stored: "file", given: setting.kind.rawValue) }
            return try RootInForce(new: setting, disk: disk, scryptRounds: scryptRounds)
        }
        let file = RootFile(path: path, disk: disk)
        let key: LocalRoot
        switch try file.read() {
        case .root(let present): key = present
        case .malformed: throw KeyError.rootMalformed(path: path)
        case .missing:
            guard !hasKeys else { throw KeyError.rootMissing(path: path) }
            key = try file.make()
        }
        return RootInForce(key: key, record: try RootRecord(kind: .file, root: key), path: path)
    }

    /// A root for keys to come under; a file waits under its second name.
    static func prepare(_ setting: RootOfTrust, disk: any Disk, scryptRounds: Int) throws -> RootInForce {
        try RootInForce(new: setting, disk: disk, scryptRounds: scryptRounds)
    }

    private init(new setting: RootOfTrust, disk: any Disk, scryptRounds: Int) throws {
        switch setting {
        case .file(let path):
            let key = try RootFile(path: path, disk: disk).makeNext()
            self.init(key: key, record: try RootRecord(kind: .file, root: key), path: path)
        case .passphrase(let passphrase):
            guard passphrase.count >= Scrypt.minimumLength else {
                throw KeyError.passphraseTooShort(minimum: Scrypt.minimumLength)
            }
            let scrypt = Scrypt(rounds: scryptRounds)
            let key = try scrypt.root(of: passphrase)
            self.init(key: key, record: try RootRecord(kind: .passphrase, root: key, scrypt: scrypt), path: nil)
        case .token(let module, let token, let label, let pin):
            let key = try TokenRoot(modulePath: module, tokenLabel: token, keyLabel: label, pin: pin)
            self.init(key: key, record: try RootRecord(kind: .token, root: key), path: nil)
        }
    }

    private init(key: any RootKey, record: RootRecord, path: String?) {
        self.key = key
        self.record = record
        self.path = path
    }

    /// Removes the file of the root before this one, and then forgets it.
    mutating func removeRetired(metadata: Metadata, disk: any Disk) throws {
        guard let retired = record.retired else { return }
        try RootFile(path: retired.path, disk: disk).remove(retired: retired)
        record.retired = nil
        let record = record
        try metadata.transact { try $0.put(record, at: RootRecord.path) }
    }

    // MARK: Keys of the first version

    private struct OldServiceKey: Codable {
        var id: UUID
        var purpose: String
        var wrapped: Data
    }

    /// One sealed key a purpose becomes a key with a version of the same id, which sealed values name.
    private static func migrate(to root: any RootKey, now: Int64, in transaction: Metadata.Transaction) throws {
        for entry in try transaction.entries(prefix: KeyStore.oldServiceKeys) {
            guard let old = try? JSONDecoder().decode(OldServiceKey.self, from: Data(entry.value)) else {
                throw KeyError.damaged(key: entry.key)
            }
            let material: SymmetricKey
            do { material = try root.unwrap(old.wrapped, context: Data(old.id.uuidString.utf8)) } catch KeyError.cannotUnwrap {
                throw KeyError.wrongRoot(kind: "a file; it does not open the key `\(old.purpose)`")
            }
            var record = KeyRecord(
                id: KeyService.newId(), account: "", region: "", purpose: old.purpose, spec: .aes256, usage: .encryptDecrypt,
                origin: .service, createdAt: now)
            var version = SealedVersion(id: old.id, number: 1, createdAt: now, sealed: nil)
            version.sealed = try root.wrap(material, context: version.context(of: record))
            record.newestVersion = version.id
            try KeyStore.put(.init(record: record, versions: [version], offers: []), over: nil, in: transaction)
            try transaction.delete(entry.key)
        }
    }
}
