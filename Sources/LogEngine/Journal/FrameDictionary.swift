// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CZstd

/// What frames are written with: a book of phrases and values, and plain content of earlier frames for zstd ("raw content"
/// in zstd's words), with which small frames, cheap to read one record from, compress better than large ones without.
///
/// Measured on 1.4 KB ActionTrail events (decision 0015): records with the numbers of a book have some 160 bytes before zstd
/// and 16 for an identifier beside them, together 67 after it with half a mebibyte of content, in frames of 16 KiB.
public final class FrameDictionary: Sendable {
    /// Bytes of records after which a store has its first dictionary.
    static let firstSample = 4 << 20
    /// Bytes of plain content.
    static let contentSize = 128 << 10
    /// Records that a book is made from.
    static let bookSample = 8192
    /// Bytes of them at most.
    static let bookBytes = 32 << 20
    /// Content that begins so is no plain content to zstd, but a dictionary of its own making.
    static let foreignMagic: [UInt8] = [0x37, 0xA4, 0x30, 0xEC]

    public let id: UInt32
    let book: PhraseBook
    let content: [UInt8]
    let words: BookWords
    /// zstd's own digested forms; immutable once made, so safe to share between threads.
    nonisolated(unsafe) let compressor: OpaquePointer
    nonisolated(unsafe) let expander: OpaquePointer

    /// Of no store. Content must not begin with ``foreignMagic``.
    package convenience init(id: UInt32, book: PhraseBook, content: [UInt8]) {
        self.init(id: id, book: book, content: content, hasher: WordHasher(store: SipHash(0, 0)), uniqueKey: "")
    }

    init(id: UInt32, book: PhraseBook, content: [UInt8], hasher: WordHasher, uniqueKey: String) {
        self.id = id
        self.book = book
        self.content = content
        words = BookWords(book, hasher: hasher, uniqueKey: uniqueKey)
        compressor = content.withUnsafeBytes { ZSTD_createCDict($0.baseAddress, $0.count, Zstd.level) }
        expander = content.withUnsafeBytes { ZSTD_createDDict($0.baseAddress, $0.count) }
    }

    deinit {
        ZSTD_freeCDict(compressor)
        ZSTD_freeDDict(expander)
    }
}
