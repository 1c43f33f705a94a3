// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Where some bytes lie: in an event's own bytes, or beside them when they had to be decoded.
///
/// For a `ParsedBatch` offsets count from the start of its `arena` or `side`, for `EventFields` from the
/// start of the stored event or of its `side`.
public struct ByteSlice: Sendable, Equatable {
    public var offset: UInt32
    public var count: UInt32
    public var isSide: Bool

    public static let empty = ByteSlice(offset: 0, count: 0, isSide: false)
    public var isEmpty: Bool { count == 0 }
    public var range: Range<Int> { Int(offset)..<Int(offset) + Int(count) }

    init(offset: Int, count: Int, isSide: Bool) {
        self.offset = UInt32(truncatingIfNeeded: offset)
        self.count = UInt32(truncatingIfNeeded: count)
        self.isSide = isSide
    }
}

/// One value an event can be looked up by, as decoded UTF-8.
public struct Term: Sendable, Equatable {
    public var attribute: LookupAttribute
    public var value: ByteSlice
}

/// One event, ready to be recorded.
public struct ParsedEvent: Sendable {
    /// The stored bytes, in the batch's arena.
    public var range: Range<Int>
    /// SHA-256 of the stored bytes: the event's leaf in the tree.
    public var digest: EventDigest
    /// SHA-256 of the received record without insignificant white space; equals `digest` when nothing was added.
    public var receivedDigest: EventDigest
    /// The event's own time, since 1970, UTC.
    public var timeMilliseconds: Int64
    public var isWrite: Bool
    public var isGlobal: Bool
    public var eventId: ByteSlice
    /// `acsRegion`; empty when the event carries an empty one.
    public var region: ByteSlice
    /// `recipientAccountId`; empty when the event carries an empty one.
    public var account: ByteSlice
    /// The event's terms in `ParsedBatch.terms`.
    public var termRange: Range<Int>
    /// The 1-based line the event began on, or its number in an array.
    public var line: Int
}

/// What one request body held.
public struct ParsedBatch: Sendable {
    /// The stored bytes of all events, one after another.
    public internal(set) var arena: [UInt8] = []
    /// Values that differ from the stored bytes because those hold escapes.
    public internal(set) var side: [UInt8] = []
    public internal(set) var events: [ParsedEvent] = []
    public internal(set) var terms: [Term] = []
    public internal(set) var rejected: [RejectedRecord] = []
    /// The first bytes of what was rejected, for the quarantine.
    public internal(set) var rejectedArena: [UInt8] = []

    public init() {}

    public func bytes(of event: ParsedEvent) -> ArraySlice<UInt8> { arena[event.range] }

    public func bytes(of rejected: RejectedRecord) -> ArraySlice<UInt8> { rejectedArena[rejected.range] }

    public func terms(of event: ParsedEvent) -> ArraySlice<Term> { terms[event.termRange] }

    public func withBytes<Result, Failure: Error>(
        of event: ParsedEvent, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withBytes(in: arena, event.range, body)
    }

    public func withBytes<Result, Failure: Error>(
        of slice: ByteSlice, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withBytes(in: slice.isSide ? side : arena, slice.range, body)
    }

    public func withTermBytes<Result, Failure: Error>(
        _ term: Term, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withBytes(of: term.value, body)
    }

    /// The bytes as text, for people and tests.
    public func text(of slice: ByteSlice) -> String {
        withBytes(of: slice) { String(decoding: $0, as: UTF8.self) }
    }

    private func withBytes<Result, Failure: Error>(
        in storage: [UInt8], _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(range.upperBound <= storage.count, "a slice of another batch")
        return try storage.withUnsafeBufferPointer { (all) throws(Failure) in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[range])))
        }
    }
}
