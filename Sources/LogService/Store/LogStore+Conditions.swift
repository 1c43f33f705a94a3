// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// A search as conditions on the engine's rows: values are asked for each value that there is, words by the word index; what
/// neither tells is compared with the logs themselves.
struct LogConditions {
    let store: LogStore
    let plan: SearchPlan
    let fields: FieldTable

    /// - Parameter topic: if the log must have it.
    func rows(topic: String?) -> RowCondition {
        let search = rows(plan.expression)
        guard let topic else { return search }
        return .and([always(FieldTable.Standard.topic) { value in value.elementsEqual(topic.utf8) }, search])
    }

    private func rows(_ expression: BoundExpression) -> RowCondition {
        switch expression {
        case .all: .all
        case .condition(let number): rows(plan.conditions[number])
        case .and(let parts): .and(parts.map(rows))
        case .or(let parts): .or(parts.map(rows))
        case .not(let part): .not(rows(part))
        }
    }

    private func rows(_ condition: BoundCondition) -> RowCondition {
        let matches: @Sendable (UnsafeRawBufferPointer) -> Bool = { condition.matches(value: $0) }
        switch condition.target {
        case .topic: return always(FieldTable.Standard.topic, matches)
        case .source: return always(FieldTable.Standard.source, matches)
        case .tag(let name): return rows(condition, LogColumn.tag(name))
        case .field(let key): return rows(condition, LogColumn.field(key))
        case .leaf(let field, let path): return rows(condition, LogColumn.leaf(field: field, path: path))
        case .line: return words(condition)
        }
    }

    private func rows(_ condition: BoundCondition, _ column: LogColumn) -> RowCondition {
        guard let entry = fields[column] else { return words(condition) }
        if case .exists = condition.test { return value(column, entry, otherwise: words(condition)) { _ in true } }
        return value(column, entry, otherwise: words(condition)) { condition.matches(value: $0) }
    }

    /// Of a field that every log has, perhaps with nothing in it.
    private func always(
        _ number: UInt8, _ matches: @escaping @Sendable (UnsafeRawBufferPointer) -> Bool
    ) -> RowCondition {
        let column: LogColumn = number == FieldTable.Standard.topic ? .topic : .source
        let entry = FieldTable.Entry(number: number, since: 0)
        let some = value(column, entry, otherwise: .maybe(.all), matches)
        guard matches(UnsafeRawBufferPointer(start: nil, count: 0)) else { return some }
        return .or([some, .not(value(column, entry, otherwise: .all) { _ in true })])
    }

    private func value(
        _ column: LogColumn, _ entry: FieldTable.Entry, otherwise: RowCondition,
        _ matches: @escaping @Sendable (UnsafeRawBufferPointer) -> Bool
    ) -> RowCondition {
        let store = store
        return .value(
            FieldTest(field: entry.number, otherwise: otherwise, since: entry.since) { key, example in
                try store.value(of: column, number: entry.number, key: key, example: example).map { value in
                    value.withUnsafeBytes(matches)
                }
            })
    }

    private func words(_ condition: BoundCondition) -> RowCondition {
        guard let words = condition.wordsForIndex else { return .maybe(.all) }
        let wanted = store.engine.words(of: words.joined(separator: " "), account: store.account)
        return .maybe(.or([.words(wanted), .term(FieldTable.escapes(store.hasher))]))
    }
}
