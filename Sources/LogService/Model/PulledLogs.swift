// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Logs of one shard in order of arrival. A cursor is the sequence of a log; those of other shards are passed over.
public struct PulledLogs: Sendable {
    public var groups: [LogGroup] = []
    /// Cursor of the last log of the last group; nil if there is none.
    public var last: UInt64?
    /// Where to go on.
    public var next: UInt64
    /// Looked at before a query, if there is one, was applied.
    public var rawLogs = 0
    public var rawBytes = 0

    public init(next: UInt64) { self.next = next }
}

/// Where reading a shard begins.
public enum LogCursor: Sendable, Equatable {
    case begin
    case end
    /// The first log received at this time or later, in seconds since 1970.
    case receivedAt(Int64)
}
