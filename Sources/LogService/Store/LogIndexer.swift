// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine
import Synchronization

/// What the engine's index is told of a log: topic, source, and the value of each field that has a number.
///
/// A value that is too long for a list of its own, or one of too many, is noted as ``FieldTable/unlisted``: the log has the
/// field, and only the log tells with what value.
final class LogIndexer: Sendable {
    /// Longer values are not listed.
    static let valueLimit = 256

    /// Which columns are indexed: those that have numbers.
    struct Plan: Sendable {
        /// Numbers by key.
        fileprivate var fields: [[UInt8]: UInt8] = [:]
        fileprivate var tags: [[UInt8]: UInt8] = [:]
        /// By the key of the JSON field: its leaves, and their numbers in the same order.
        fileprivate var leaves: [[UInt8]: (paths: JSONLeafPaths, numbers: [UInt8])] = [:]

        init(_ table: FieldTable) {
            var paths: [[UInt8]: [(path: String, number: UInt8)]] = [:]
            for (column, entry) in table.entries {
                switch column {
                case .topic, .source: break
                case .tag(let name): tags[Array(name.utf8)] = entry.number
                case .field(let key): fields[Array(key.utf8)] = entry.number
                case .leaf(let field, let path): paths[Array(field.utf8), default: []].append((path, entry.number))
                }
            }
            leaves = paths.mapValues { paths in
                let paths = paths.sorted { $0.number < $1.number }
                return (JSONLeafPaths(paths.map(\.path)), paths.map(\.number))
            }
        }
    }

    private let variety = Mutex(FieldVariety())

    /// The facts of logs that were just encoded, and what is new of their variety.
    func facts(of records: [[UInt8]], plan: Plan, hasher: TermHasher) -> RowFacts {
        let scattered = variety.withLock { variety in (0..<FieldTable.end).map { variety.isScattered($0) } }
        var facts = RowFacts()
        facts.reserve(rows: records.count)
        var writer = RowWriter(plan: plan, scattered: scattered, hasher: hasher)
        for record in records { _ = record.withUnsafeBytes { writer.append($0, to: &facts) } }
        let seen = writer.seen
        variety.withLock { variety in for (field, hash) in seen { variety.note(field, hash: hash) } }
        return facts
    }

    /// The facts of records that are read again.
    struct Rereading {
        let plan: Plan
        private var writer: RowWriter?

        init(_ plan: Plan) { self.plan = plan }

        /// - Returns: from where a delivery took the log.
        mutating func append(_ record: StoredRecord, hasher: TermHasher, to facts: inout RowFacts) -> LogRecord.Origin? {
            var writer =
                self.writer
                ?? RowWriter(plan: plan, scattered: Array(repeating: false, count: Int(FieldTable.end)), hasher: hasher)
            // Held once, so that its buffers are not copied.
            self.writer = nil
            let isLog = record.withBytes { writer.append($0, to: &facts) }
            writer.forgetSeen()
            self.writer = writer
            return isLog ? writer.origin : nil
        }
    }

    private struct RowWriter {
        let plan: Plan
        let scattered: [Bool]
        let hasher: TermHasher
        private let unlisted: [UInt64]
        private var record = LogRecord()
        /// The log's value of each field, 0 for none, and which fields have one.
        private var hashes = [UInt64](repeating: 0, count: Int(FieldTable.end))
        private var present: [UInt8] = []
        private var leaves: [JSONLeaf?] = []
        private let scratch = ScratchBytes()
        private(set) var seen: [(field: UInt8, hash: UInt64)] = []

        init(plan: Plan, scattered: [Bool], hasher: TermHasher) {
            self.plan = plan
            self.scattered = scattered
            self.hasher = hasher
            unlisted = (0..<FieldTable.end).map { FieldTable.unlisted($0, hasher) }
        }

        var origin: LogRecord.Origin? { record.origin }

        mutating func forgetSeen() { seen.removeAll(keepingCapacity: true) }

        /// - Returns: false for bytes that are no log.
        mutating func append(_ bytes: UnsafeRawBufferPointer, to facts: inout RowFacts) -> Bool {
            guard record.read(bytes) else {
                facts.endRow(time: 0, uniqueHash: 0)
                return false
            }
            let view = record.view
            facts.append(term: FieldTable.shard(record.shard, hasher))
            if !view.topic.isEmpty { set(FieldTable.Standard.topic, hash(FieldTable.Standard.topic, view.topic)) }
            if !view.source.isEmpty { set(FieldTable.Standard.source, hash(FieldTable.Standard.source, view.source)) }
            if !plan.tags.isEmpty {
                for tag in view.tags { if let number = plan.tags[Array(tag.key)] { set(number, hash(number, tag.value)) } }
            }
            for field in view.contents {
                let key = Array(field.key)
                if let number = plan.fields[key] { set(number, hash(number, field.value)) }
                guard let (paths, numbers) = plan.leaves[key] else { continue }
                if leaves.count != paths.count { leaves = Array(repeating: nil, count: paths.count) }
                paths.find(in: field.value, into: &leaves)
                for (leaf, number) in zip(leaves, numbers) {
                    guard let leaf else {
                        // Of two fields with one key the last counts, also for what it lacks.
                        unset(number)
                        continue
                    }
                    let value = leaf.withText(scratch: scratch) { text in hash(number, text) }
                    set(number, value)
                }
            }
            for field in present {
                facts.append(term: .init(field: field, hash: hashes[Int(field)]))
                hashes[Int(field)] = 0
            }
            present.removeAll(keepingCapacity: true)
            if Self.hasEscape(bytes) { facts.append(term: FieldTable.escapes(hasher)) }
            facts.endRow(time: view.time * 1000 + Int64(view.nanoseconds / 1_000_000), uniqueHash: 0)
            return true
        }

        /// Nil for a value that is not listed.
        private func hash(_ field: UInt8, _ value: UnsafeRawBufferPointer) -> UInt64? {
            value.count > LogIndexer.valueLimit ? nil : max(hasher.hash(field: field, value: value), 1)
        }

        private mutating func set(_ field: UInt8, _ hash: UInt64?) {
            if hashes[Int(field)] == 0 { present.append(field) }
            if let hash, field >= FieldTable.first { seen.append((field, hash)) }
            hashes[Int(field)] = hash.flatMap { scattered[Int(field)] ? nil : $0 } ?? unlisted[Int(field)]
        }

        private mutating func unset(_ field: UInt8) {
            guard hashes[Int(field)] != 0 else { return }
            hashes[Int(field)] = 0
            present.removeAll { $0 == field }
        }

        /// Whether a backslash stands before something that is no delimiter: an escape may hide a letter of a word there, or
        /// a plain text's letter is taken for one, so that the word index does not have the words as they are.
        private static func hasEscape(_ bytes: UnsafeRawBufferPointer) -> Bool {
            var rest = bytes[...]
            while let place = rest.firstIndex(of: UInt8(ascii: "\\")) {
                guard place + 1 < bytes.count else { return false }
                if !WordHasher.isDelimiter(bytes[place + 1]) { return true }
                rest = bytes[(place + 2)...]
            }
            return false
        }
    }
}

extension FieldTable {
    /// Stands for a value that has no list of its own. A value that has the same hash is looked up in the logs as well.
    static func unlisted(_ field: UInt8, _ hasher: TermHasher) -> UInt64 { hasher.hash(field: field, value: "\0unlisted") }

    static func shard(_ id: Int, _ hasher: TermHasher) -> RowFacts.Term {
        .init(field: Standard.shard, hash: hasher.hash(field: Standard.shard, value: String(id)))
    }

    static func escapes(_ hasher: TermHasher) -> RowFacts.Term {
        .init(field: Standard.escapes, hash: hasher.hash(field: Standard.escapes, value: "u"))
    }
}
