// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation

/// The file of a root of trust: base64 of 32 bytes and a line feed.
///
/// While the root is being changed there are two generations: the new one waits as `<path>.next` until the metadata
/// have every key under it, and then takes the name. Whichever of the two opens the check in the metadata is in force.
struct RootFile {
    let path: String
    let disk: any Disk

    private var next: String { path + ".next" }

    enum Reading {
        case missing
        case malformed
        case root(LocalRoot)
    }

    func read() throws -> Reading { try read(path) }

    private func read(_ path: String) throws -> Reading {
        guard var text = try disk.readAll(path, limit: 4096) else { return .missing }
        defer { text.withUnsafeMutableBytes { wipeMemory($0) } }
        guard var key = Data(base64Encoded: Data(text.filter { $0 > 0x20 })), key.count == 32 else { return .malformed }
        return .root(LocalRoot(SymmetricKey(taking: &key)))
    }

    /// A new root at the path itself, durable on return; for a folder that has none.
    func make() throws -> LocalRoot { try make(at: path) }

    /// A new root beside the present one.
    func makeNext() throws -> LocalRoot { try make(at: next) }

    private func make(at path: String) throws -> LocalRoot {
        let key = SymmetricKey(size: .bits256)
        var text = key.withUnsafeBytes { Array((Data($0).base64EncodedString() + "\n").utf8) }
        defer { text.withUnsafeMutableBytes { wipeMemory($0) } }
        try disk.replace(path, with: text)
        return LocalRoot(key)
    }

    /// Gives the new root the name, once the metadata are under it. The old root is gone with that.
    func promoteNext() throws {
        try disk.rename(next, to: path)
        try disk.syncDirectory(folder)
    }

    /// The root that the record tells of.
    ///
    /// Also finishes a change that a crash cut off: before its transaction the new file is dropped, after it takes over.
    func root(for record: RootRecord) throws -> LocalRoot {
        let present = try read()
        if case .root(let root) = present, try record.isOf(root) {
            // Of a change that never came to its transaction.
            if try disk.size(of: next) != nil { try remove(next) }
            return root
        }
        if case .root(let root) = try read(next), try record.isOf(root) {
            try promoteNext()
            return root
        }
        switch present {
        case .missing: throw KeyError.rootMissing(path: path)
        case .malformed: throw KeyError.rootMalformed(path: path)
        case .root: throw KeyError.wrongRoot(kind: "the file `\(path)`")
        }
    }

    /// Removes a former root, unless the file holds another one by now.
    func remove(retired: RootRecord.RetiredFile) throws {
        guard case .root(let root) = try read(), try RootRecord.opens(root, retired.check, retired.id) else { return }
        try remove(path)
    }

    private func remove(_ path: String) throws {
        try disk.remove(path)
        try disk.syncDirectory(folder)
    }

    private var folder: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
