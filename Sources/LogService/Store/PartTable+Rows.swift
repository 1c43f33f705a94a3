// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// The rows of a part one by one.
extension PartTable {
    /// The next rows, in the order of the part.
    mutating func batch(from next: inout Int, limit: Int) throws -> ColumnBatch? {
        var picked: [Int] = []
        while picked.count < limit, let row = rows.certain.nearest(next, .oldestFirst) {
            picked.append(row)
            next = row + 1
        }
        guard !picked.isEmpty else { return nil }
        let texts = try read(picked)
        var batch = ColumnBatch(count: picked.count, columns: [])
        for index in columns.indices {
            switch columns[index] {
            case .time:
                var times: [Int64] = []
                for row in picked { times.append(Self.floor(try rows.position(of: row).time, 1000)) }
                batch.columns.append(.integers(times, nulls: nil))
            case .coded(let content):
                let codes = picked.map { content.codes[$0] }
                if let unlisted = content.unlisted, codes.contains(unlisted), let place = places[index] {
                    batch.columns.append(
                        vector(index, codes.enumerated().map { $1 == unlisted ? texts[place][$0] : content.texts[Int($1)] }))
                } else {
                    batch.columns.append(vector(index, codes, content))
                }
            case .read: batch.columns.append(vector(index, texts[places[index]!]))
            }
        }
        return batch
    }

    /// What has to be read of the logs: a text for each row, for each column that is read.
    private mutating func read(_ picked: [Int]) throws -> [[String?]] {
        let count = places.reduce(0) { $0 + ($1 == nil ? 0 : 1) }
        guard count > 0 else { return [] }
        var texts = [[String?]](repeating: Array(repeating: nil, count: picked.count), count: count)
        // Without columns that are read throughout, only rows with something unlisted are looked at.
        let isWhole = columns.contains { if case .read = $0 { true } else { false } }
        for (place, row) in picked.enumerated() {
            let isNeeded =
                isWhole
                || columns.contains { column in
                    if case .coded(let content) = column { content.unlisted == content.codes[row] } else { false }
                }
            guard isNeeded else { continue }
            let sequence = try rows.position(of: row).sequence
            guard let stored = try store.readable(sequence) else { continue }
            let limit = textLimit
            stored.withBytes { bytes in
                _ = reader.read(bytes) { column, value in texts[column][place] = Self.text(value.prefix(limit)) }
            }
        }
        return texts
    }

    func vector(_ index: Int, _ codes: [UInt32], _ content: Coded) -> ColumnVector {
        switch types[index] {
        case .varchar: return .dictionary(codes: codes, values: content.texts)
        case .bigint, .double: return vector(index, codes.map { content.texts[Int($0)] })
        }
    }

    private func vector(_ index: Int, _ texts: [String?]) -> ColumnVector {
        switch types[index] {
        case .varchar: return .texts(texts)
        case .bigint:
            let values = texts.map { $0.flatMap { Int64($0) } }
            return .integers(values.map { $0 ?? 0 }, nulls: values.map { $0 == nil })
        case .double:
            let values = texts.map { text in text.flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil } }
            return .doubles(values.map { $0 ?? 0 }, nulls: values.map { $0 == nil })
        }
    }
}
