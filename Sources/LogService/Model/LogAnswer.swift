// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Rows of a search or of an analysis.
public struct LogAnswer: Sendable {
    public struct Term: Sendable, Equatable {
        /// Empty for a word anywhere.
        public var key: String
        public var term: String

        public init(key: String, term: String) {
            self.key = key
            self.term = term
        }
    }

    /// Whether everything was looked at; if not, the same question may be asked again.
    public var isComplete = true
    /// Of a search the fields of each log, `__time__`, `__topic__`, `__source__`, `__tag__:…` included; of an analysis one
    /// entry a column. All values are texts.
    public var rows: [[Log.Field]] = []
    /// Names of the fields that occur; of an analysis its columns, in order.
    public var keys: [String] = []
    /// Of an analysis: `varchar`, `bigint`, `double`, `boolean` …, one a column.
    public var columnTypes: [String] = []
    /// The parts before and after the first pipe.
    public var searchPart = "*"
    public var sqlPart: String?
    /// The SQL had no LIMIT, so that of 100 rows holds.
    public var hasImplicitLimit = false
    /// Logs looked at, and their bytes.
    public var processedRows = 0
    public var processedBytes = 0
    public var terms: [Term] = []
    public var isPhraseSearch = false

    public init() {}
}

/// How many logs a search finds, by time.
public struct LogHistogram: Sendable {
    public struct Bucket: Sendable, Equatable {
        /// Seconds since 1970; the end is not included.
        public var from: Int64
        public var to: Int64
        public var count: Int
        public var isComplete: Bool

        public init(from: Int64, to: Int64, count: Int, isComplete: Bool = true) {
            self.from = from
            self.to = to
            self.count = count
            self.isComplete = isComplete
        }
    }

    public var buckets: [Bucket]

    public init(buckets: [Bucket]) { self.buckets = buckets }

    public var count: Int { buckets.reduce(0) { $0 + $1.count } }
    public var isComplete: Bool { buckets.allSatisfy(\.isComplete) }
}
