// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// An index object as clients send it; source: sls.md section 9.
struct IndexDocument {
    static let longest = 256 << 10
    /// Fields, and entries below JSON fields, in all.
    static let mostFields = 1000
    private static let textLimits = 64...16384

    private let members: [String: JSONDocument]
    /// A token list that was left out was filled in.
    private(set) var isCompleted = false

    init(_ json: Data) throws(LogServiceError) {
        guard json.count <= Self.longest else { throw .indexInvalid("index is larger than \(Self.longest) bytes") }
        guard case .object(let members)? = try? JSONDocument(json) else {
            throw .indexInvalid("index is not a JSON object, or is nested too deeply")
        }
        var completed = members
        if let line = members["line"] { completed["line"] = Self.withTokens(line) }
        if case .object(let keys)? = members["keys"] {
            completed["keys"] = .object(
                keys.mapValues { key in
                    let type = key.member("type")
                    return type == .text("text") || type == .text("json") ? Self.withTokens(key) : key
                })
        }
        self.members = completed
        isCompleted = completed != members
    }

    /// The object with a token list wherever clients look for one.
    func encoded() throws -> Data { try JSONDocument.object(members).encoded() }

    /// - Parameter further: members of the answer, where the client sent none of the name.
    func encoded(with further: [String: JSONDocument]) throws -> Data {
        try JSONDocument.object(members.merging(further) { own, _ in own }).encoded()
    }

    private static func withTokens(_ value: JSONDocument) -> JSONDocument {
        guard case .object(var members) = value, (members["token"] ?? .null) == .null else { return value }
        members["token"] = .list(standardTokens.map { .text($0) })
        return .object(members)
    }

    /// As the vendor's clients list them.
    private static let standardTokens = ", '\";=()[]{}?@&<>/:\n\t\r".map { String($0) }

    // MARK: Meaning

    func configuration() throws(LogServiceError) -> IndexConfiguration {
        let root = IndexMembers(members, of: "index")
        let line = try root.object("line")
        let keys = try root.object("keys")
        guard line != nil || keys?.isEmpty == false else { throw .indexInvalid("index needs line or keys") }
        var configuration = IndexConfiguration(line: nil, fields: [:])
        if let line {
            let (included, excluded) = (try line.texts("include_keys"), try line.texts("exclude_keys"))
            guard included.isEmpty || excluded.isEmpty else {
                throw .indexInvalid("include_keys and exclude_keys exclude each other")
            }
            configuration.line = try line.text()
        }
        var count = 0
        for name in keys?.names ?? [] {
            guard let key = try keys?.object(name) else { continue }
            try Self.check(name)
            let field = try Self.field(key)
            count += 1
            if case .json(let json) = field { count += json.leaves.count }
            // The time is a column without an index, and searched by a request's range only.
            if name != "__time__" { configuration.fields[name] = field }
        }
        guard count <= Self.mostFields else { throw .indexInvalid("index has more than \(Self.mostFields) keys") }
        if let limit = try root.integer("max_text_len") {
            guard Self.textLimits.contains(limit) else { throw .indexInvalid("max_text_len must be between 64 and 16384") }
            configuration.textLimit = limit
        }
        try Self.checkAliases(configuration)
        return configuration
    }

    private static func check(_ name: String) throws(LogServiceError) {
        guard (1...128).contains(name.utf8.count) else { throw .indexInvalid("a key has 1 to 128 bytes") }
    }

    private static func field(_ key: IndexMembers) throws(LogServiceError) -> IndexConfiguration.Field {
        guard try key.string("type") == "json" else {
            return .value(try value(key, inheriting: IndexConfiguration.Text()))
        }
        let text = try key.text()
        var leaves: [String: IndexConfiguration.Key] = [:]
        if let entries = try key.object("json_keys") {
            for path in entries.names {
                guard let entry = try entries.object(path) else { continue }
                guard (1...1024).contains(path.utf8.count) else { throw .indexInvalid("a path of json_keys has 1 to 1024 bytes") }
                leaves[path] = try value(entry, inheriting: text)
            }
        }
        let depth = try key.integer("max_depth") ?? -1
        return .json(
            .init(
                text: text, indexesAll: try key.flag("index_all"), maxDepth: depth > 0 ? depth : nil,
                isColumn: try key.flag("doc_value"), alias: try key.alias(), leaves: leaves))
    }

    private static func value(
        _ key: IndexMembers, inheriting text: IndexConfiguration.Text
    ) throws(LogServiceError) -> IndexConfiguration.Key {
        let kind: IndexConfiguration.Kind
        switch try key.string("type") {
        case "text": kind = .text(try key.text(inheriting: text))
        case "long": kind = .long
        case "double": kind = .double
        default: throw .indexInvalid("\(key.place) has no type, or one that is not allowed there")
        }
        return .init(kind: kind, isColumn: try key.flag("doc_value"), alias: try key.alias())
    }

    /// An alias stands for one column only.
    private static func checkAliases(_ configuration: IndexConfiguration) throws(LogServiceError) {
        var names: [(name: String, isAlias: Bool)] = []
        for (field, value) in configuration.fields {
            switch value {
            case .value(let key): if key.isColumn { names.append((key.alias ?? field, key.alias != nil)) }
            case .json(let json):
                if json.isColumn { names.append((json.alias ?? field, json.alias != nil)) }
                for (path, key) in json.leaves where key.isColumn {
                    names.append((key.alias ?? "\(field).\(path)", key.alias != nil))
                }
            }
        }
        var counts: [String: Int] = [:]
        for name in names { counts[name.name, default: 0] += 1 }
        if let twice = names.first(where: { $0.isAlias && counts[$0.name, default: 0] > 1 }) {
            throw .indexInvalid("alias \(RegistryName.quoted(twice.name)) names two columns")
        }
    }
}
