// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a stored event can be found and filtered by, read again from its bytes.
///
/// Gives the same terms as `EventParser` gave when the event was received. Offsets count from the start of the
/// stored bytes, which this does not keep.
public struct EventFields: Sendable {
    public let timeMilliseconds: Int64
    public let isWrite: Bool
    public let isGlobal: Bool
    public let eventId: ByteSlice
    public let region: ByteSlice
    public let account: ByteSlice
    public let terms: [Term]
    public let side: [UInt8]

    /// Nil if the bytes are not an event that this module could have stored.
    public static func extract(_ stored: UnsafeRawBufferPointer) -> EventFields? {
        var reader = EventFieldReader()
        return reader.read(stored)
    }

    public static func extract(_ stored: [UInt8]) -> EventFields? {
        stored.withUnsafeBytes { extract($0) }
    }

    /// The bytes of `slice`, given the stored event this was extracted from.
    public func withBytes<Result, Failure: Error>(
        of slice: ByteSlice, in stored: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(slice.isSide || slice.range.upperBound <= stored.count, "a slice of another event")
        guard slice.isSide else { return try body(UnsafeRawBufferPointer(rebasing: stored[slice.range])) }
        return try side.withUnsafeBufferPointer { (all) throws(Failure) in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[slice.range])))
        }
    }

    /// Whether the event has this value, compared byte by byte.
    public func has(
        _ attribute: LookupAttribute, _ value: UnsafeRawBufferPointer, in stored: UnsafeRawBufferPointer
    ) -> Bool {
        terms.contains { term in
            term.attribute == attribute && withBytes(of: term.value, in: stored) { $0.equals(value) }
        }
    }
}
