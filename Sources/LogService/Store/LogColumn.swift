// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// A text of each log that may have numbers for its values in the engine.
enum LogColumn: Codable, Sendable {
    case topic
    case source
    /// Without `__tag__:`.
    case tag(String)
    case field(String)
    case leaf(field: String, path: String)

    private static let tagPrefix = "__tag__:"

    /// - Parameter key: of an index; nil for those of topic and source, which are columns whatever an index says.
    init?(key: String) {
        switch key {
        case "__topic__", "__source__": return nil
        case _ where key.hasPrefix(Self.tagPrefix): self = .tag(String(key.dropFirst(Self.tagPrefix.count)))
        default: self = .field(key)
        }
    }
}

extension LogColumn: Hashable {
    /// Keys are compared by their bytes, as they are in logs: two spellings of one accented letter are two keys.
    private var identity: [[UInt8]] {
        switch self {
        case .topic: [[0]]
        case .source: [[1]]
        case .tag(let name): [[2], Array(name.utf8)]
        case .field(let key): [[3], Array(key.utf8)]
        case .leaf(let field, let path): [[4], Array(field.utf8), Array(path.utf8)]
        }
    }

    static func == (one: LogColumn, other: LogColumn) -> Bool { one.identity == other.identity }

    func hash(into hasher: inout Hasher) { hasher.combine(identity) }
}

/// Reads some columns of one log after another. For one thread at a time.
struct ColumnReader {
    private let columns: [LogColumn]
    /// Leaves that are read: of a field, by the numbers of their columns.
    private let json: [(key: [UInt8], paths: JSONLeafPaths, columns: [[Int]])]
    private let keys: [[UInt8]]
    private var record = LogRecord()
    private var leaves: [[JSONLeaf?]]
    private let scratch = ScratchBytes()

    init(_ columns: [LogColumn]) {
        self.columns = columns
        var byField: [String: [(path: String, column: Int)]] = [:]
        for (index, column) in columns.enumerated() {
            if case .leaf(let field, let path) = column { byField[field, default: []].append((path, index)) }
        }
        json = byField.map { field, leaves in
            // A path may be asked for twice.
            var seen: [String: [Int]] = [:]
            for (path, column) in leaves { seen[path, default: []].append(column) }
            let paths = seen.sorted { $0.key < $1.key }
            return (Array(field.utf8), JSONLeafPaths(paths.map(\.key)), paths.map(\.value))
        }
        keys = columns.map { column in
            switch column {
            case .topic, .source, .leaf: []
            case .tag(let name): Array(name.utf8)
            case .field(let key): Array(key.utf8)
            }
        }
        leaves = json.map { Array(repeating: nil, count: $0.paths.count) }
    }

    /// The view of the log read last.
    var view: LogView { record.view }

    /// Visits the columns that the log has.
    ///
    /// - Returns: false for bytes that are no log.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer, _ visit: (_ column: Int, _ value: UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        guard record.read(bytes) else { return false }
        let view = record.view
        for (index, column) in columns.enumerated() {
            switch column {
            case .topic: visit(index, view.topic)
            case .source: visit(index, view.source)
            case .tag: if let value = last(of: view.tags, keys[index]) { visit(index, value) }
            case .field: if let value = last(of: view.contents, keys[index]) { visit(index, value) }
            case .leaf: break
            }
        }
        for (place, field) in json.enumerated() {
            guard let text = last(of: view.contents, field.key) else { continue }
            field.paths.find(in: text, into: &leaves[place])
            for (leaf, columns) in zip(leaves[place], field.columns) {
                guard let leaf else { continue }
                leaf.withText(scratch: scratch) { text in for column in columns { visit(column, text) } }
            }
        }
        return true
    }

    private func last(of fields: [LogView.Field], _ key: [UInt8]) -> UnsafeRawBufferPointer? {
        key.withUnsafeBytes { key in fields.last { ByteText.equal($0.key, key) }?.value }
    }
}

extension LogStore {
    /// What a value says: read from a log that has it, and remembered.
    ///
    /// - Returns: nil if only the logs tell, or the log cannot be read.
    func value(of column: LogColumn, number: UInt8, key: UInt64, example: UInt64) throws -> [UInt8]? {
        guard !GroupCounts.isKey(key, of: FieldTable.unlisted(number, hasher)) else { return nil }
        return try names.value(field: number, key: key) {
            guard let stored = try readable(example) else { return nil }
            var found: [UInt8]?
            var reader = ColumnReader([column])
            stored.withBytes { bytes in
                _ = reader.read(bytes) { _, value in
                    let hash = max(hasher.hash(field: number, value: value), 1)
                    if GroupCounts.isKey(key, of: hash) { found = Array(value) }
                }
            }
            return found
        }
    }
}
