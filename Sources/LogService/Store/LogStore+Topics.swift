// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// Topics of a logstore, ascending, a page of them.
public struct LogTopics: Sendable, Equatable {
    public var topics: [String] = []
    /// False if the time was up before all logs were looked at: there may be others, also before the last of these.
    public var isComplete = true
}

extension LogStore {
    /// Topics that come after another.
    ///
    /// - Parameter count: of topics at most.
    package func topics(after: String, count: Int, limit: WorkLimit) throws -> LogTopics {
        var lowest = LowestTexts(after: after, count: count)
        let query = RowQuery(account: account, condition: try kept(.all), times: .min ... .max)
        for source in engine.rowSources(query) {
            guard try !limit.isOver() else { return LogTopics(topics: lowest.sorted, isComplete: false) }
            var part = try source.open()
            guard try addTopics(of: &part, to: &lowest, limit: limit) else {
                return LogTopics(topics: lowest.sorted, isComplete: false)
            }
        }
        return LogTopics(topics: lowest.sorted)
    }

    /// - Returns: false if the time was up first.
    private func addTopics(of part: inout RowPart, to lowest: inout LowestTexts, limit: WorkLimit) throws -> Bool {
        let rows = part.certain
        guard let column = try part.codes(ofField: FieldTable.Standard.topic) else {
            // So many different ones that they have no numbers.
            return try addTopics(ofRows: rows, in: &part, to: &lowest, limit: limit)
        }
        var isUsed = [Bool](repeating: false, count: column.values.count)
        rows.forEachRow { isUsed[Int(column.codes[$0])] = true }
        var unlisted = Set<UInt32>()
        for code in column.values.indices.dropFirst() where isUsed[code] {
            guard try code & 63 != 0 || !limit.isOver() else { return false }
            let (key, example) = column.values[code]
            if let topic = try value(of: .topic, number: FieldTable.Standard.topic, key: key, example: example) {
                lowest.add(String(decoding: topic, as: UTF8.self))
            } else {
                unlisted.insert(UInt32(code))
            }
        }
        guard !unlisted.isEmpty else { return true }
        // Long ones, which only the logs tell.
        var open = RowBits(rowCount: rows.rowCount)
        rows.forEachRow { row in if unlisted.contains(column.codes[row]) { open.insert(row) } }
        return try addTopics(ofRows: open, in: &part, to: &lowest, limit: limit)
    }

    /// Reads the logs.
    ///
    /// - Returns: false if the time was up first.
    private func addTopics(
        ofRows rows: RowBits, in part: inout RowPart, to lowest: inout LowestTexts, limit: WorkLimit
    ) throws -> Bool {
        var record = LogRecord()
        var looks = 0
        var next = rows.nearest(0, .oldestFirst)
        while let row = next {
            guard try looks & 255 != 0 || !limit.isOver() else { return false }
            looks += 1
            if let stored = try readable(try part.position(of: row).sequence) {
                let topic = stored.withBytes { bytes -> String? in
                    record.read(bytes) ? String(decoding: record.view.topic, as: UTF8.self) : nil
                }
                if let topic { lowest.add(topic) }
            }
            next = rows.nearest(row + 1, .oldestFirst)
        }
        return true
    }
}

/// The first few texts after another, of any number of them.
private struct LowestTexts {
    private let after: String
    private let count: Int
    private var found: Set<String> = []

    init(after: String, count: Int) {
        self.after = after
        self.count = count
    }

    var sorted: [String] { Array(found.sorted().prefix(count)) }

    mutating func add(_ text: String) {
        guard text > after, found.insert(text).inserted, found.count >= 2 * count + 1024 else { return }
        found = Set(sorted)
    }
}
