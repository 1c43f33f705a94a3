// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation

/// A file of an object being written, encrypted as it comes. It has its name from the start: what makes it exist is the row
/// that names it, and a name of its own is never used again.
final class PieceWriter {
    let name = UUID().uuidString.lowercased()
    private(set) var size: Int64 = 0
    private let store: EmbeddedObjectStore
    private let bucket: String
    private let sealing: ObjectKeys.Sealing
    private let cipher: PieceCipher
    private let file: any WritableFile
    private var chunk: [UInt8] = []
    private var chunkNumber: Int64 = 0
    private var isEnded = false

    init(store: EmbeddedObjectStore, bucket: String, sealing: ObjectKeys.Sealing) throws {
        self.store = store
        self.bucket = bucket
        self.sealing = sealing
        cipher = try PieceCipher(sealing, name: name)
        let path = store.files.path(bucket, name)
        store.beginWriting(name)
        do { file = try store.files.create(path, bucket: bucket) } catch {
            store.endWriting(name)
            throw error
        }
        do { try file.append(cipher.header) } catch {
            file.close()
            try? store.files.disk.remove(path)
            store.endWriting(name)
            throw error
        }
    }

    deinit { abandon() }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        size += Int64(bytes.count)
        var rest = bytes
        while !rest.isEmpty {
            if chunk.isEmpty && rest.count >= PieceCipher.chunkSize {
                try write(UnsafeRawBufferPointer(rebasing: rest.prefix(PieceCipher.chunkSize)))
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(PieceCipher.chunkSize))
                continue
            }
            let count = min(rest.count, PieceCipher.chunkSize - chunk.count)
            chunk.append(contentsOf: rest.prefix(count))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            if chunk.count == PieceCipher.chunkSize { try flush() }
        }
    }

    private func flush() throws {
        try chunk.withUnsafeBytes { try write($0) }
        chunk.removeAll(keepingCapacity: true)
    }

    private func write(_ plain: UnsafeRawBufferPointer) throws {
        let sealed = cipher.seal(plain, number: chunkNumber)
        try sealed.withUnsafeBytes { try file.append($0) }
        chunkNumber += 1
    }

    /// Makes the file and its name durable. Until its row is committed ``EmbeddedObjectStore/sweep()`` would
    /// take it for an orphan, had it not been told: ``settle()`` ends that.
    func finish() throws -> StoredObject.Piece {
        if !chunk.isEmpty { try flush() }
        // A customer's key that was disabled meanwhile takes nothing more.
        if sealing.keyId != nil { _ = try PieceCipher(reading: cipher.header, sealing, name: name) }
        try file.sync()
        file.close()
        try store.files.disk.syncDirectory(store.files.folder(bucket))
        return StoredObject.Piece(file: name, size: size)
    }

    /// The row is committed, or whether it is cannot be known: the file stays, for the sweep to judge.
    func settle() {
        guard !isEnded else { return }
        isEnded = true
        file.close()
        store.endWriting(name)
    }

    /// No row names the file.
    func abandon() {
        guard !isEnded else { return }
        file.close()
        try? store.files.disk.remove(store.files.path(bucket, name))
        settle()
    }
}
