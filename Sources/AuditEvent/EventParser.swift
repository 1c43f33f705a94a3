// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Who received a body, where and when: what an event is completed with.
public struct ReceivingContext: Sendable {
    public var accountId: String
    public var region: String
    public var nowMilliseconds: Int64

    public init(accountId: String, region: String, nowMilliseconds: Int64) {
        self.accountId = accountId
        self.region = region
        self.nowMilliseconds = nowMilliseconds
    }
}

/// Turns a request body into events ready to be recorded.
///
///     let batch = EventParser().parse(body, format: .auto, context: context)
///     for event in batch.events { record(batch.bytes(of: event), event.digest) }
///
/// Takes NDJSON, white-space separated or pretty-printed objects, JSON arrays, CloudTrail's `{"Records":[…]}`
/// and Kubernetes' `EventList`, recognised by looking. A bad record never takes a good line down.
public struct EventParser: Sendable {
    /// The most an event may have as received, without insignificant white space.
    public static let maximumEventBytes = 4 << 20
    /// The deepest nesting of values in an event as received.
    public static let maximumDepth = 128
    /// Bad records beyond these are kept together: a body of nothing but bad lines must not cost more than a good one.
    public static let namedRejections = 10_000
    /// Bodies are smaller than this: offsets in a batch have 32 bits, and small events grow when completed.
    public static let maximumBodyBytes = 128 << 20

    public init() {}

    public func parse(_ body: [UInt8], format: EventFormat, context: ReceivingContext) -> ParsedBatch {
        body.withUnsafeBytes { parse($0, format: format, context: context) }
    }

    public func parse(
        _ body: UnsafeRawBufferPointer, format: EventFormat, context: ReceivingContext
    ) -> ParsedBatch {
        precondition(body.count < Self.maximumBodyBytes, "the endpoint limits the size of a body")
        var batch = ParsedBatch()
        guard body.count > 0 else { return batch }
        var reader = BodyReader(body, format: format, context: context)
        var arena: [UInt8] = []
        // Completed and translated events are larger than received ones, small ones by more. What is not
        // written to costs address space only.
        var room = 3 * body.count + min(body.count * 5, 512 << 10) + (16 << 10)
        while room > 0 {
            let filled = arena.count
            arena.append(addingCapacity: room) { span in
                span.withUnsafeMutableBufferPointer { target, count in
                    room = reader.read(into: target, used: &count, arenaOffset: filled)
                }
            }
            room = room == 0 ? 0 : room + arena.count / 2
        }
        batch.arena = arena
        reader.finish(&batch)
        return batch
    }
}
