// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import KeyManagement
import Synchronization

/// The dictionaries of a store: which one to compress with now, and every one that a frame may name.
///
/// A dictionary is on disk before the first frame that uses it. Kept under `dictionaries/<id>`, sealed like
/// everything else.
public final class Dictionaries: Sendable {
    static let magic: StaticString = "CRNDICT2"
    /// For what is never compressed with one.
    static let none = Dictionaries()

    private struct State {
        var loaded: [UInt32: FrameDictionary] = [:]
        var current: FrameDictionary?
        var lastID: UInt32 = 0
    }

    private let folder: String
    private let disk: (any Disk)?
    private let key: (any DataKeyWrapper)?
    private let hasher: WordHasher
    private let uniqueKey: String
    private let state: Mutex<State>

    private init() {
        folder = ""
        disk = nil
        key = nil
        hasher = WordHasher(store: SipHash(0, 0))
        uniqueKey = ""
        state = Mutex(State())
    }

    /// - Parameter uniqueKey: see ``LogEngine/Settings/uniqueKey``.
    /// - Parameter damage: told of a newest dictionary that cannot be used: frames that name it cannot be read, and new
    ///   ones do without until there is the next.
    init(
        folder: String, disk: any Disk, key: any DataKeyWrapper, hasher: WordHasher, uniqueKey: String,
        damage: (StoreDamage) -> Void
    ) throws {
        self.folder = folder
        self.disk = disk
        self.key = key
        self.hasher = hasher
        self.uniqueKey = uniqueKey
        try disk.createDirectory(folder)
        let ids = try disk.list(folder).compactMap { UInt32($0) }.sorted()
        // The newest may be one whose name a killed process had not made durable.
        if !ids.isEmpty { try disk.syncDirectory(folder) }
        state = Mutex(State(lastID: ids.last ?? 0))
        do {
            let current = try dictionary(ids.last ?? 0)
            state.withLock { $0.current = current }
        } catch let found as StoreDamage { damage(found) }
    }

    /// What new frames are compressed with; nil until the store has seen enough.
    public var current: FrameDictionary? { state.withLock { $0.current } }

    /// - Throws: ``StoreDamage`` if the dictionary is missing or changed.
    func dictionary(_ id: UInt32) throws -> FrameDictionary? {
        guard id != 0 else { return nil }
        if let loaded = state.withLock({ $0.loaded[id] }) { return loaded }
        let path = "\(folder)/\(id)"
        guard let disk, let key else { throw StoreDamage(path: path, offset: 0, reason: .badMagic) }
        let loaded = try read(path, id: id, disk: disk, key: key)
        state.withLock { $0.loaded[id] = loaded }
        return loaded
    }

    /// Keeps a book and content as the next dictionary and uses it from now on.
    func add(_ book: PhraseBook, _ content: some Sequence<UInt8>) throws {
        guard let disk, let key else { return }
        var content = Array(content)
        while content.starts(with: FrameDictionary.foreignMagic) { content.removeFirst(FrameDictionary.foreignMagic.count) }
        let id = state.withLock { $0.lastID + 1 }
        let envelope = try FileEnvelope(magic: Self.magic, key: key)
        let raw = book.encoded + content
        var plain = ByteWriter()
        plain.put(UInt32(raw.count))
        plain.bytes += raw.withUnsafeBytes { Zstd.compress($0, dictionary: nil) }
        let sealed = envelope.seal(
            plain.bytes, nonce: FileEnvelope.onlyNonce, authenticating: [])
        try disk.replace("\(folder)/\(id)", with: envelope.header + sealed)
        let made = FrameDictionary(id: id, book: book, content: content, hasher: hasher, uniqueKey: uniqueKey)
        state.withLock {
            $0.lastID = id
            $0.loaded[id] = made
            $0.current = made
        }
    }

    private func read(_ path: String, id: UInt32, disk: any Disk, key: any DataKeyWrapper) throws -> FrameDictionary {
        do {
            guard let bytes = try disk.readAll(path, limit: 16 << 20) else { throw FormatError.truncated }
            let envelope = try FileEnvelope(reading: bytes, magic: Self.magic, key: key)
            let plain = try envelope.open(
                bytes[envelope.header.count...], nonce: FileEnvelope.onlyNonce,
                authenticating: [])
            let raw = try plain.withUnsafeBytes { buffer in
                var reader = ByteReader(buffer)
                let count = Int(try reader.get(UInt32.self))
                guard count <= 16 << 20 else { throw FormatError.truncated }
                return try Zstd.expand(try reader.take(reader.remaining), rawCount: count, dictionary: nil)
            }
            return try raw.withUnsafeBytes { buffer in
                var reader = ByteReader(buffer)
                let book = try PhraseBook(decoding: &reader)
                let content = Array(try reader.take(reader.remaining))
                guard !content.starts(with: FrameDictionary.foreignMagic) else { throw FormatError.badCompression }
                return FrameDictionary(id: id, book: book, content: content, hasher: hasher, uniqueKey: uniqueKey)
            }
        } catch let error as FormatError {
            throw StoreDamage(path: path, offset: 0, reason: error)
        }
    }
}
