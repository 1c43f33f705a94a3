// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import Metadata

extension KeyService {
    /// Puts every key under another root, or under a new one of the same kind. No data is touched.
    ///
    /// All versions are rewrapped in one transaction. Before it the new root of a file waits beside the old one, after
    /// it the old one goes: a crash at any moment leaves a folder that opens with the old root, or with the new one.
    /// From then on Cairn has to be started with `setting`.
    ///
    /// - Throws: ``KeyError``, with nothing changed; but for `rootNotTidied`, with the new root in force.
    public func rotateRoot(to setting: RootOfTrust) throws {
        try rotateRoot(to: setting, scryptRounds: Scrypt.standardRounds)
    }

    package func rotateRoot(to setting: RootOfTrust, scryptRounds: Int) throws {
        try writing.withLock { _ in
            try refuseForeignFile(setting)
            // A change that was not tidied up has its root in the very file that the next one would write.
            try root.withLock { root in
                if let path = root.path { _ = try RootFile(path: path, disk: disk).root(for: root.record) }
                try root.removeRetired(metadata: metadata, disk: disk)
            }
            var new = try RootInForce.prepare(setting, disk: disk, scryptRounds: scryptRounds)
            let cells = table.withLock { $0.cells }
            try root.withLock { root in
                if let path = root.path, path != new.path {
                    new.record.retired = .init(path: path, id: root.record.id, check: root.record.check)
                }
                let changes = try cells.map { cell in
                    (cell: cell, before: cell.content, after: try cell.content.rewrapped(from: root.key, to: new.key))
                }
                let record = new.record
                // If this fails, the new file stays: should the commit have reached the disk all the same, the next
                // start needs it, and else drops it.
                try metadata.transact { transaction in
                    for change in changes { try KeyStore.put(change.after, over: change.before, in: transaction) }
                    try transaction.put(record, at: RootRecord.path)
                }
                root = new
                for change in changes { change.cell.replace(change.after) }
            }
            do {
                if let path = new.path { try RootFile(path: path, disk: disk).promoteNext() }
                try root.withLock { try $0.removeRetired(metadata: metadata, disk: disk) }
            } catch { throw KeyError.rootNotTidied("\(error)") }
        }
    }

    /// Which root is in force, in words.
    public var rootOfTrust: String { root.withLock { $0.record.kind.rawValue } }

    /// A new root must not take the place of a file that somebody else may need.
    private func refuseForeignFile(_ setting: RootOfTrust) throws {
        guard case .file(let path) = setting, try disk.size(of: path) != nil, root.withLock({ $0.path }) != path else { return }
        throw KeyError.rootFileExists(path: path)
    }
}

extension KeyCell.Content {
    /// The same material under another root.
    fileprivate func rewrapped(from old: any RootKey, to new: any RootKey) throws -> KeyCell.Content {
        var content = self
        do {
            for index in versions.indices {
                guard let sealed = versions[index].sealed else { continue }
                let context = versions[index].context(of: record)
                content.versions[index].sealed = try new.wrap(try old.unwrap(sealed, context: context), context: context)
            }
            for index in offers.indices {
                let context = offers[index].context(of: record)
                content.offers[index].sealed = try new.wrap(
                    try old.unwrap(offers[index].sealed, context: context), context: context)
            }
        } catch KeyError.cannotUnwrap { throw KeyError.damaged(key: record.purpose ?? record.id) }
        return content
    }
}
