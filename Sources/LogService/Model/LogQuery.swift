// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a person asks of a logstore: a search, and perhaps an analysis of what it finds.
public struct LogQuery: Sendable, Equatable {
    /// `search | SELECT …`; empty for everything.
    public var text: String
    /// Nanoseconds since 1970, UTC; the end is not included.
    public var times: Range<Int64>
    public var topic: String?
    /// Of a search: the most rows answered, and how many are passed over before them.
    public var line = 100
    public var offset = 0
    /// Newest first.
    public var isReverse = false

    public init(text: String, times: Range<Int64>) {
        self.text = text
        self.times = times
    }
}
