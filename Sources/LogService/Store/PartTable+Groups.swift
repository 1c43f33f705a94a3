// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// The different rows of a part, with how often each occurs.
extension PartTable {
    /// Different rows of a part that are worth a table.
    private static let groupLimit = 1 << 17
    /// As many numbers of rows are counted in an array.
    private static let denseLimit = 1 << 20

    /// Each different row once.
    ///
    /// - Returns: nil if there are columns without numbers, or too many different rows.
    func groups(timeStep: Int64?) throws -> ColumnBatch? {
        var coded: [Coded?] = []
        var sizes: [Int] = []
        var steps = TimeSteps()
        for column in columns {
            switch column {
            case .read: return nil
            case .coded(let content):
                guard content.unlisted == nil else { return nil }
                coded.append(content)
                sizes.append(content.texts.count)
            case .time:
                guard let timeStep, timeStep > 0, let found = try timeSteps(timeStep) else { return nil }
                steps = found
                coded.append(nil)
                sizes.append(steps.count)
            }
        }
        var total = 1
        for size in sizes {
            let (product, overflow) = total.multipliedReportingOverflow(by: size)
            guard !overflow else { return nil }
            total = product
        }
        guard let tallies = tally(coded, sizes, total: total, steps) else { return nil }
        var batch = ColumnBatch(count: tallies.count, weights: tallies.map { Int64($0.count) }, columns: [])
        var divisor = 1
        var digits: [[Int]] = []
        for size in sizes {
            digits.append(tallies.map { $0.number / divisor % size })
            divisor *= size
        }
        for (index, content) in coded.enumerated() {
            if let content {
                batch.columns.append(vector(index, digits[index].map { UInt32($0) }, content))
            } else {
                batch.columns.append(.integers(digits[index].map { (steps.first + Int64($0)) * (timeStep ?? 1) }, nulls: nil))
            }
        }
        return batch
    }

    /// The step of each row that matches.
    private struct TimeSteps {
        /// In the order of the rows.
        var rows: [Int64] = []
        var first: Int64 = 0
        /// From the first step to the last.
        var count = 1
    }

    /// - Returns: nil if they are too many, or there is none.
    private func timeSteps(_ step: Int64) throws -> TimeSteps? {
        var steps = TimeSteps()
        steps.rows.reserveCapacity(rows.certain.count)
        try rows.forEachTime { _, time in steps.rows.append(Self.step(step, at: time)) }
        guard let first = steps.rows.min(), let last = steps.rows.max(), last - first < Int64(Self.groupLimit) else { return nil }
        steps.first = first
        steps.count = Int(last - first) + 1
        return steps
    }

    /// How often each combination occurs: the first column is the lowest digit of its number.
    private func tally(
        _ coded: [Coded?], _ sizes: [Int], total: Int, _ steps: TimeSteps
    ) -> [(number: Int, count: Int)]? {
        var factors: [Int] = []
        var factor = 1
        for size in sizes {
            factors.append(factor)
            factor *= size
        }
        if coded.isEmpty { return [(0, rows.certain.count)] }
        var dense = [Int](repeating: 0, count: total <= Self.denseLimit ? total : 0)
        var sparse: [Int: Int] = [:]
        var isTooMuch = false
        let timeColumn = coded.firstIndex { $0 == nil }
        let lists = coded.enumerated().compactMap { index, content in content.map { (codes: $0.codes, factor: factors[index]) } }
        func add(_ row: Int, _ time: Int) {
            guard !isTooMuch else { return }
            var number = time
            for list in lists { number += Int(list.codes[row]) * list.factor }
            if dense.isEmpty {
                sparse[number, default: 0] += 1
                isTooMuch = sparse.count > Self.groupLimit
            } else {
                dense[number] += 1
            }
        }
        if let timeColumn {
            var place = 0
            rows.certain.forEachRow { row in
                add(row, Int(steps.rows[place] - steps.first) * factors[timeColumn])
                place += 1
            }
        } else {
            rows.certain.forEachRow { add($0, 0) }
        }
        guard !isTooMuch else { return nil }
        if dense.isEmpty { return sparse.map { ($0.key, $0.value) } }
        return dense.indices.filter { dense[$0] > 0 }.map { ($0, dense[$0]) }
    }

    /// As ``groups(timeStep:)``, of one column of texts and all rows of a part: from the lengths of the lists.
    static func counts(_ rows: RowPart, table: LogTable, columns: [Int]) throws -> ColumnBatch? {
        guard columns.count == 1, table.columns[columns[0]].type == .varchar, let origin = table.origins[columns[0]],
            let number = try number(of: origin, rows, table.store.now.fields),
            let counts = try rows.valueCounts(ofField: number)
        else { return nil }
        var texts: [String?] = [nil]
        var weights: [Int64] = []
        for (key, example, count) in counts.sorted(by: { $0.example < $1.example }) {
            guard let value = try table.store.value(of: origin, number: number, key: key, example: example) else { return nil }
            texts.append(text(value.prefix(table.textLimit)))
            weights.append(Int64(count))
        }
        var codes = (1..<UInt32(texts.count)).map { $0 }
        let rest = Int64(rows.rowCount) - weights.reduce(0, +)
        if rest > 0 {
            switch origin {
            // Every log has these, if nothing is in them.
            case .topic, .source:
                codes.append(UInt32(texts.count))
                texts.append("")
            case .tag, .field, .leaf: codes.append(0)
            }
            weights.append(rest)
        }
        return ColumnBatch(count: codes.count, weights: weights, columns: [.dictionary(codes: codes, values: texts)])
    }

    /// - Parameters:
    ///   - step: any number of seconds that a query names.
    ///   - time: milliseconds.
    private static func step(_ step: Int64, at time: Int64) -> Int64 { floor(floor(time, 1000), step) }
}
