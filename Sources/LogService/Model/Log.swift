// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A log as it is written: a time and some fields, each a text.
public struct Log: Sendable, Equatable {
    public struct Field: Sendable, Equatable {
        public var key: String
        public var value: String

        public init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    /// Seconds since 1970, UTC.
    public var time: UInt32
    /// The part of a second, 0 to 999,999,999; nil if the writer gave none.
    public var nanoseconds: UInt32?
    /// In the writer's order; of two with one key the last counts.
    public var contents: [Field]

    public init(time: UInt32, nanoseconds: UInt32? = nil, contents: [Field]) {
        self.time = time
        self.nanoseconds = nanoseconds
        self.contents = contents
    }
}

/// What one request writes: logs that share topic, source and tags.
public struct LogGroup: Sendable, Equatable {
    public var logs: [Log]
    public var topic: String
    public var source: String
    public var tags: [Log.Field]

    public init(logs: [Log], topic: String = "", source: String = "", tags: [Log.Field] = []) {
        self.logs = logs
        self.topic = topic
        self.source = source
        self.tags = tags
    }
}
