// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What is kept of a record beside its bytes.
public struct RecordFlags: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Another record of the same account has this one's unique key, with other content.
    public static let conflict = RecordFlags(rawValue: 1)
    /// Sixteen bytes of the digest of what was received follow: the stored bytes differ from it.
    static let hasReceivedDigest = RecordFlags(rawValue: 2)
    /// The body is one of ``PhraseCode``, with the book of the frame's dictionary.
    static let coded = RecordFlags(rawValue: 4)
}

/// Collects the records of one account into the payload of a frame.
///
/// ```
/// account: length varint, bytes
/// each record: body length varint · flags (1) · received digest (16, if flagged) · identifiers (1, if coded)
/// bodies, back to back
/// ```
/// Behind the compressed payload stand the identifiers of all records, 16 bytes each.
public struct FramePayload {
    private let account: String
    private let dictionary: FrameDictionary?
    private let writer: PhraseWriter?
    private var table = ByteWriter()
    private var bodies: [UInt8] = []
    /// Not compressed: nothing would come of it.
    private var identifiers: [UInt8] = []
    private var words: FrameWords
    public private(set) var count = 0

    init(account: String, dictionary: FrameDictionary?, hasher: WordHasher) {
        self.init(
            account: account, dictionary: dictionary, hasher: hasher, writer: dictionary.map { PhraseWriter(book: $0.book) })
    }

    private init(account: String, dictionary: FrameDictionary?, hasher: WordHasher, writer: PhraseWriter?) {
        self.account = account
        self.dictionary = dictionary
        self.writer = writer
        words = FrameWords(dictionary: dictionary, hasher: hasher)
        table.put(account)
    }

    public var rawCount: Int { table.bytes.count + bodies.count }

    /// Whether the frame has reached the size at which the next one should begin.
    public var isFull: Bool { rawCount >= JournalFormat.frameRawTarget }

    /// - Parameter receivedDigest: sixteen bytes, where the received content is not the stored bytes.
    public mutating func append(
        _ body: UnsafeRawBufferPointer, flags: RecordFlags, receivedDigest: (UInt64, UInt64)?
    ) {
        var flags = flags
        let coded = writer?.write(body) { words.add($0, body, $1) }
        if coded != nil {
            flags.insert(.coded)
            words.endRecord()
        } else {
            words.add(plain: body)
        }
        table.putVarint(coded?.bytes.count ?? body.count)
        if let receivedDigest {
            table.bytes.append(flags.union(.hasReceivedDigest).rawValue)
            table.put(receivedDigest.0)
            table.put(receivedDigest.1)
        } else {
            table.bytes.append(flags.rawValue)
        }
        if let coded {
            table.bytes.append(UInt8(coded.identifiers.count / Identifier.size))
            bodies.append(contentsOf: coded.bytes)
            identifiers += coded.identifiers
        } else {
            bodies.append(contentsOf: body)
        }
        count += 1
    }

    /// Ends the frame: compressed, ready for the journal; another one of the same account can begin.
    public mutating func prepared() -> PreparedFrame {
        let raw = table.bytes + bodies
        words.finish()
        defer { self = FramePayload(account: account, dictionary: dictionary, hasher: words.hasher, writer: writer) }
        return PreparedFrame(
            recordCount: count, rawLength: raw.count, dictionary: dictionary?.id ?? 0,
            compressed: raw.withUnsafeBytes { Zstd.compress($0, dictionary: dictionary) } + identifiers, words: words)
    }
}

extension FramePayload {
    /// Of no store.
    package init(account: String, dictionary: FrameDictionary? = nil) {
        self.init(account: account, dictionary: dictionary, hasher: WordHasher(store: SipHash(0, 0)))
    }
}

extension LogEngine {
    /// For records of an account, to be compressed with the newest dictionary.
    public func newFrame(account: String) -> FramePayload {
        FramePayload(account: account, dictionary: dictionaries.current, hasher: wordHasher)
    }
}

/// A compressed frame that still lacks its place in the log.
public struct PreparedFrame: Sendable {
    public var recordCount: Int
    var rawLength: Int
    var dictionary: UInt32
    /// With the identifiers behind it.
    var compressed: [UInt8]
    var words: FrameWords

    /// Its records, as a reader of the journal would find them.
    package func decoded(with dictionary: FrameDictionary? = nil) throws -> [StoredRecord] {
        let header = FrameHeader(
            sealedLength: UInt32(compressed.count + JournalFormat.tagSize), recordCount: UInt32(recordCount),
            rawLength: UInt32(rawLength), firstSequence: 0, recordedAt: 0, dictionary: self.dictionary)
        let (raw, identifiers) = try compressed.withUnsafeBytes { buffer in
            try Zstd.expandWithRest(buffer, rawCount: rawLength, dictionary: dictionary)
        }
        let frame = try DecodedFrame(header: header, raw: raw, identifiers: identifiers, dictionary: dictionary)
        return (0..<frame.count).map { frame.record($0) }
    }
}

/// A frame taken apart: the records of a run of sequence numbers.
public final class DecodedFrame: Sendable {
    public let firstSequence: UInt64
    public let recordedAt: Int64
    public let account: String
    private let raw: [UInt8]
    private let identifiers: [UInt8]
    let dictionary: FrameDictionary?
    private let entries: [Entry]

    private struct Entry {
        var offset: Int
        var length: Int
        var flags: RecordFlags
        var digest: (UInt64, UInt64)?
        /// Bytes of the frame's.
        var identifiers = 0..<0
    }

    package init(
        header: FrameHeader, raw: [UInt8], identifiers: [UInt8] = [], dictionary: FrameDictionary? = nil
    ) throws(FormatError) {
        firstSequence = header.firstSequence
        recordedAt = header.recordedAt
        self.dictionary = dictionary
        self.identifiers = identifiers
        self.raw = raw
        var failure: FormatError?
        var account = ""
        var entries: [Entry] = []
        var identifiersEnd = 0
        entries.reserveCapacity(Int(header.recordCount))
        raw.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            do throws(FormatError) {
                account = try reader.getText()
                for _ in 0..<header.recordCount {
                    let length = try reader.getCount()
                    let flags = RecordFlags(rawValue: try reader.get(UInt8.self))
                    var digest: (UInt64, UInt64)?
                    if flags.contains(.hasReceivedDigest) {
                        digest = (try reader.get(UInt64.self), try reader.get(UInt64.self))
                    }
                    var entry = Entry(offset: 0, length: length, flags: flags, digest: digest)
                    if flags.contains(.coded) {
                        let count = Int(try reader.get(UInt8.self)) * Identifier.size
                        entry.identifiers = identifiersEnd..<identifiersEnd + count
                        identifiersEnd += count
                    }
                    entries.append(entry)
                }
                guard identifiersEnd == identifiers.count else { throw .truncated }
                var offset = reader.offset
                for index in entries.indices {
                    entries[index].offset = offset
                    offset += entries[index].length
                }
                guard offset == buffer.count else { throw .truncated }
            } catch { failure = error }
        }
        if let failure { throw failure }
        self.account = account
        self.entries = entries
    }

    public var count: Int { entries.count }
    var cost: Int { raw.count + identifiers.count + entries.count * MemoryLayout<Entry>.stride + 64 }

    public func record(_ index: Int) -> StoredRecord {
        let entry = entries[index]
        let range = entry.offset..<entry.offset + entry.length
        // Frames are authentic and codes were tried when they were made: what cannot be read stays as it is, and its
        // hash says so.
        let plain = entry.flags.contains(.coded) ? decoded(entry) : nil
        return StoredRecord(
            account: account, recordedAt: recordedAt, sequence: firstSequence + UInt64(index),
            flags: entry.flags.subtracting([.hasReceivedDigest, .coded]), receivedDigest: entry.digest,
            content: plain.map { .own($0) } ?? .slice(self, range))
    }

    private func decoded(_ entry: Entry) -> [UInt8]? {
        guard let dictionary else { return nil }
        return withCoded(entry) { PhraseCode.decode($0, identifiers: $1, with: dictionary.book) }
    }

    private func withCoded<Result>(
        _ entry: Entry, _ body: (_ coded: UnsafeRawBufferPointer, _ identifiers: UnsafeRawBufferPointer) -> Result
    ) -> Result {
        withBytes(entry.offset..<entry.offset + entry.length) { coded in
            identifiers.withUnsafeBytes { body(coded, UnsafeRawBufferPointer(rebasing: $0[entry.identifiers])) }
        }
    }

    func mayMatch(_ probe: WordProbe, record index: Int) -> Bool {
        let entry = entries[index]
        if entry.flags.contains(.coded) { return withCoded(entry) { probe.mayMatch(coded: $0, identifiers: $1) } }
        return withBytes(entry.offset..<entry.offset + entry.length) { probe.mayMatch(plain: $0) }
    }

    /// Of some records, keeps those in which a run of bytes begins, as they are held.
    func keep(_ records: inout [Bool], with pattern: CaselessPattern) {
        raw.withUnsafeBytes { raw in
            guard let bodies = entries.first?.offset else { return }
            var next = pattern.place(in: raw, from: bodies)
            for (index, entry) in entries.enumerated() {
                let end = entry.offset + entry.length
                guard let place = next, place < end else {
                    records[index] = false
                    continue
                }
                next = pattern.place(in: raw, from: end)
            }
        }
    }

    /// The words of some of its records, as they were found when the frame was made.
    func words(of records: Range<Int>, hasher: WordHasher) -> FrameWords {
        var words = FrameWords(dictionary: dictionary, hasher: hasher)
        for entry in entries[records] {
            if entry.flags.contains(.coded) {
                withCoded(entry) { words.add(coded: $0, identifiers: $1) }
            } else {
                withBytes(entry.offset..<entry.offset + entry.length) { words.add(plain: $0) }
            }
        }
        words.finish()
        return words
    }

    func withBytes<Result>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows
        -> Result
    {
        try raw.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}
