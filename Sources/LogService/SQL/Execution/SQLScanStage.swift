// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Rows of the source.
final class SQLScanStage: SQLStage {
    private let run: SQLRun
    private let columns: [SQLColumn]
    /// Places of what is read among all columns.
    private let wanted: [Int]
    private let isGrouped: Bool
    private var scan: any ColumnScan
    /// By place among `wanted`: the last dictionary as it came and as it is used.
    private var dictionaries: [Int: (texts: [String?], dictionary: SQLDictionary)] = [:]

    init(_ plan: SQLScanPlan, _ run: SQLRun) throws {
        self.run = run
        columns = run.source.columns
        wanted = plan.isWanted.indices.filter { plan.isWanted[$0] }
        isGrouped = plan.grouping != nil
        scan = try run.source.scan(wanted, grouping: plan.grouping, shift: run.shift)
    }

    func next() throws -> SQLBatch? {
        try run.check()
        guard let batch = try scan.nextBatch() else { return nil }
        guard batch.columns.count == wanted.count, batch.weights.map({ $0.count == batch.count }) ?? true else {
            throw SQLScanFault.wrongShape
        }
        var vectors = [SQLVector](repeating: .constant(.null), count: columns.count)
        for (place, column) in wanted.enumerated() {
            vectors[column] = try vector(batch.columns[place], at: place, columns[column].type, count: batch.count)
        }
        run.scannedRows += batch.weights?.reduce(0, &+) ?? Int64(batch.count)
        return SQLBatch(count: batch.count, columns: vectors, weights: isGrouped ? batch.weights : nil)
    }

    private func vector(_ vector: ColumnVector, at place: Int, _ type: SQLColumn.Kind, count: Int) throws -> SQLVector {
        let size =
            switch vector {
            case .integers(let values, let nulls): nulls.map { min(values.count, $0.count) } ?? values.count
            case .doubles(let values, let nulls): nulls.map { min(values.count, $0.count) } ?? values.count
            case .dictionary(let codes, _): codes.count
            case .texts(let texts): texts.count
            }
        guard size >= count else { throw SQLScanFault.wrongShape }
        switch (vector, type) {
        case (.integers(let values, let nulls), .bigint): return .integers(values, nulls: nulls)
        case (.doubles(let values, let nulls), .double): return .doubles(values, nulls: nulls)
        case (.integers(let values, let nulls), .double): return .doubles(values.map { Double($0) }, nulls: nulls)
        case (.integers(let values, let nulls), .varchar):
            return .values(values.indices.map { nulls?[$0] == true ? .null : .text(String(values[$0])) })
        case (.doubles(let values, let nulls), .varchar):
            return .values(values.indices.map { nulls?[$0] == true ? .null : .text(SQLRendering.double(values[$0])) })
        case (.doubles(let values, let nulls), .bigint):
            return .values(values.indices.map { nulls?[$0] == true ? .null : SQLValue(Int64(exactly: values[$0])) })
        case (.texts(let texts), _): return .values(texts.map { SQLScanStage.value($0, type) })
        case (.dictionary(let codes, let texts), _):
            guard Int(codes.max() ?? 0) < max(texts.count, 1) else { throw SQLScanFault.wrongShape }
            return .dictionary(codes, dictionary(texts, at: place, type))
        }
    }

    /// The same one for the same array, so that what was computed from its values still holds.
    private func dictionary(_ texts: [String?], at place: Int, _ type: SQLColumn.Kind) -> SQLDictionary {
        if let (known, dictionary) = dictionaries[place], SQLScanStage.isSame(known, texts) { return dictionary }
        var values = texts.map { SQLScanStage.value($0, type) }
        if values.isEmpty { values = [.null] } else { values[0] = .null }
        let dictionary = SQLDictionary(values)
        dictionaries[place] = (texts, dictionary)
        return dictionary
    }

    /// Whether both are one array in memory. The first is kept, so its memory is not used for another.
    private static func isSame(_ one: [String?], _ other: [String?]) -> Bool {
        one.count == other.count
            && one.withUnsafeBufferPointer { one in other.withUnsafeBufferPointer { one.baseAddress == $0.baseAddress } }
    }

    private static func value(_ text: String?, _ type: SQLColumn.Kind) -> SQLValue {
        guard let text else { return .null }
        switch type {
        case .varchar: return .text(text)
        case .bigint: return SQLValue(Int64(text))
        case .double: return SQLValue(Double(text).flatMap { $0.isFinite ? $0 : nil })
        }
    }
}

/// The source broke its promise.
enum SQLScanFault: Error {
    case wrongShape
}
