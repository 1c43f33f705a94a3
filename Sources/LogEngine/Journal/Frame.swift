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
    /// The body is one of ``RecordFold``.
    static let folded = RecordFlags(rawValue: 4)
}

/// Collects the records of one account into the payload of a frame.
///
/// ```
/// account: length varint, bytes
/// each record: body length varint · flags (1) · received digest (16, if flagged)
/// bodies, back to back
/// ```
public struct FramePayload: Sendable {
    private var table = ByteWriter()
    private var bodies: [UInt8] = []
    public private(set) var count = 0

    public init(account: String) {
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
        let folded = RecordFold.fold(body)
        if folded != nil { flags.insert(.folded) }
        table.putVarint(folded?.count ?? body.count)
        if let receivedDigest {
            table.bytes.append(flags.union(.hasReceivedDigest).rawValue)
            table.put(receivedDigest.0)
            table.put(receivedDigest.1)
        } else {
            table.bytes.append(flags.rawValue)
        }
        if let folded { bodies += folded } else { bodies.append(contentsOf: body) }
        count += 1
    }

    /// Ends the frame: compressed, ready for the journal.
    public func prepared(dictionary: FrameDictionary?) -> PreparedFrame {
        let raw = table.bytes + bodies
        return PreparedFrame(
            recordCount: count, rawLength: raw.count, dictionary: dictionary?.id ?? 0,
            compressed: raw.withUnsafeBytes { Zstd.compress($0, dictionary: dictionary) })
    }
}

/// A compressed frame that still lacks its place in the log.
public struct PreparedFrame: Sendable {
    public var recordCount: Int
    var rawLength: Int
    var dictionary: UInt32
    var compressed: [UInt8]

    /// Its records, as a reader of the journal would find them; without a dictionary only.
    package func decoded() throws -> [StoredRecord] {
        let header = FrameHeader(
            sealedLength: UInt32(compressed.count + JournalFormat.tagSize), recordCount: UInt32(recordCount),
            rawLength: UInt32(rawLength), firstSequence: 0, recordedAt: 0, dictionary: dictionary)
        let raw = try compressed.withUnsafeBytes { try Zstd.expand($0, rawCount: rawLength, dictionary: nil) }
        let frame = try DecodedFrame(header: header, raw: raw)
        return (0..<frame.count).map { frame.record($0) }
    }
}

/// A frame taken apart: the records of a run of sequence numbers.
public final class DecodedFrame: Sendable {
    public let firstSequence: UInt64
    public let recordedAt: Int64
    public let account: String
    private let raw: [UInt8]
    private let entries: [Entry]

    private struct Entry {
        var offset: Int
        var length: Int
        var flags: RecordFlags
        var digest: (UInt64, UInt64)?
    }

    init(header: FrameHeader, raw: [UInt8]) throws(FormatError) {
        firstSequence = header.firstSequence
        recordedAt = header.recordedAt
        self.raw = raw
        var failure: FormatError?
        var account = ""
        var entries: [Entry] = []
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
                    entries.append(Entry(offset: 0, length: length, flags: flags, digest: digest))
                }
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
    var cost: Int { raw.count + entries.count * MemoryLayout<Entry>.stride + 64 }

    public func record(_ index: Int) -> StoredRecord {
        let entry = entries[index]
        let range = entry.offset..<entry.offset + entry.length
        // Frames are authentic and folds were tried when they were made: what cannot be unfolded stays as it is, and
        // its hash says so.
        let unfolded = entry.flags.contains(.folded) ? withBytes(range) { RecordFold.unfold($0) } : nil
        return StoredRecord(
            frame: self, sequence: firstSequence + UInt64(index),
            flags: entry.flags.subtracting([.hasReceivedDigest, .folded]), receivedDigest: entry.digest, range: range,
            unfolded: unfolded)
    }

    fileprivate func withBytes<Result>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows
        -> Result
    {
        try raw.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}

/// One record of the log; shares its frame's memory, unless it was folded.
public struct StoredRecord: Sendable {
    private let frame: DecodedFrame
    public let sequence: UInt64
    public let flags: RecordFlags
    /// Sixteen bytes of the digest of the received content, where that is not the stored bytes.
    public let receivedDigest: (UInt64, UInt64)?
    private let range: Range<Int>
    private let unfolded: [UInt8]?

    fileprivate init(
        frame: DecodedFrame, sequence: UInt64, flags: RecordFlags, receivedDigest: (UInt64, UInt64)?, range: Range<Int>,
        unfolded: [UInt8]?
    ) {
        self.frame = frame
        self.sequence = sequence
        self.flags = flags
        self.receivedDigest = receivedDigest
        self.range = range
        self.unfolded = unfolded
    }

    public var account: String { frame.account }
    /// Milliseconds since 1970 at which the record was made durable.
    public var recordedAt: Int64 { frame.recordedAt }
    public var count: Int { unfolded?.count ?? range.count }
    public var bytes: [UInt8] { unfolded ?? withBytes { Array($0) } }

    /// The body as frames hold it, folded or not: what a dictionary is made of.
    func withStoredBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try frame.withBytes(range, body)
    }

    var storedCount: Int { range.count }

    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        if let unfolded { return try unfolded.withUnsafeBytes(body) }
        return try frame.withBytes(range, body)
    }
}
