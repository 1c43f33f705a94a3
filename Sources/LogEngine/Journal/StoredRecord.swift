// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One record of the log; shares its frame's memory, unless it was coded.
public struct StoredRecord: Sendable {
    enum Content: Sendable {
        case slice(DecodedFrame, Range<Int>)
        case own([UInt8])
    }

    public let account: String
    /// Milliseconds since 1970 at which the record was made durable.
    public let recordedAt: Int64
    public let sequence: UInt64
    public let flags: RecordFlags
    /// Sixteen bytes of the digest of the received content, where that is not the stored bytes.
    public let receivedDigest: (UInt64, UInt64)?
    private var content: Content

    init(
        account: String, recordedAt: Int64, sequence: UInt64, flags: RecordFlags, receivedDigest: (UInt64, UInt64)?,
        content: Content
    ) {
        self.account = account
        self.recordedAt = recordedAt
        self.sequence = sequence
        self.flags = flags
        self.receivedDigest = receivedDigest
        self.content = content
    }

    public var count: Int { withBytes { $0.count } }

    public var bytes: [UInt8] {
        if case .own(let bytes) = content { return bytes }
        return withBytes { Array($0) }
    }

    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        switch content {
        case .slice(let frame, let range): try frame.withBytes(range, body)
        case .own(let bytes): try bytes.withUnsafeBytes(body)
        }
    }

    /// The same, without holding its frame's memory.
    var detached: StoredRecord {
        var copy = self
        copy.content = .own(bytes)
        return copy
    }
}

/// A record in the cache: those that are looked up again lie far apart, each in a frame with many others.
final class KeptRecord: Sendable {
    let record: StoredRecord

    init(_ record: StoredRecord) { self.record = record.detached }

    var cost: Int { record.count + MemoryLayout<StoredRecord>.stride + 64 }
}
