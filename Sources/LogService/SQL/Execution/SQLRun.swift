// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One run of a query: what it reads, what it may cost, and what it has cost so far.
final class SQLRun {
    let source: any ColumnSource
    let options: SQLOptions
    let limits: SQLLimits
    /// Seconds by which the range of time that is read lies earlier.
    var shift: Int64 = 0
    var scannedRows: Int64 = 0

    private let isCancelled: () -> Bool
    private let deadline: ContinuousClock.Instant
    private var work = 0
    private(set) var memory = 0
    private var expressions = SQLPatternCache<RegularExpression>()
    private var patterns = SQLPatternCache<LikePattern>()
    /// By the escape character and the pattern behind it.
    private var escaped = SQLPatternCache<LikePattern>()
    private var paths = SQLPatternCache<JSONPath>()
    var random = SystemRandomNumberGenerator()

    /// Units of work, each some hundred nanoseconds at most, between two looks at the clock.
    private static let workBetweenChecks = 8192
    /// Of one text that a function makes.
    static let maximumTextBytes = 16 << 20

    init(source: any ColumnSource, options: SQLOptions, limits: SQLLimits, isCancelled: @escaping () -> Bool) {
        self.source = source
        self.options = options
        self.limits = limits
        self.isCancelled = isCancelled
        deadline = .now.advanced(by: limits.duration)
    }

    var timeZone: SQLTimeZone { options.timeZone }
    var rendering: SQLRendering { SQLRendering(timeZone: options.timeZone) }

    /// Ends the query if its time is over or nobody waits for it any more.
    func tick(_ units: Int = 1) throws {
        work += units
        if work >= SQLRun.workBetweenChecks { try check() }
    }

    func check() throws {
        work = 0
        if isCancelled() { throw SQLFailure(kind: .cancelled, message: "the query was cancelled", position: nil) }
        if ContinuousClock.now >= deadline { throw SQLFailure.limit("the query takes longer than \(limits.duration)") }
    }

    /// Accounts for memory that the query keeps.
    func charge(_ bytes: Int) throws {
        memory += bytes
        if memory > limits.memoryBytes {
            throw SQLFailure.limit("the query needs more memory than \(limits.memoryBytes >> 20) MiB")
        }
    }

    /// Gives back what was charged since `memory` had this value.
    func release(to earlier: Int) { memory = min(memory, earlier) }

    func checkText(bytes: Int) throws {
        if bytes > SQLRun.maximumTextBytes {
            throw SQLFailure.limit("a text is longer than \(SQLRun.maximumTextBytes >> 20) MiB")
        }
        try tick(1 + bytes >> 10)
    }

    func expression(_ pattern: String) throws -> RegularExpression {
        try expressions.value(pattern) { try RegularExpression(pattern) }
    }

    func like(_ pattern: String, escape: String?) throws -> LikePattern {
        guard let escape else { return try patterns.value(pattern) { try LikePattern(pattern, escape: nil) } }
        return try escaped.value(escape + pattern) { try LikePattern(pattern, escape: escape) }
    }

    func path(_ text: String) throws -> JSONPath { try paths.value(text) { try JSONPath(text) } }
}

/// What was made of the patterns of a query. Those that come with the data are forgotten when there are too many.
struct SQLPatternCache<Value> {
    private var values: [String: Value] = [:]
    /// Nearly always it is the same again.
    private var last: (pattern: String, value: Value)?

    private static var maximumCount: Int { 1000 }

    mutating func value(_ pattern: String, make: () throws -> Value) rethrows -> Value {
        if let last, last.pattern.hasSameBytes(as: pattern) { return last.value }
        if let known = values[pattern] {
            last = (pattern, known)
            return known
        }
        let made = try make()
        if values.count >= Self.maximumCount { values.removeAll() }
        values[pattern] = made
        last = (pattern, made)
        return made
    }
}
