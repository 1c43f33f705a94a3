// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Gives each condition of a search the place and the kind that the index has for its key.
struct SearchBinder {
    /// A field of the log that some conditions look at.
    struct Field {
        var key: String
        /// Of leaves below it.
        var paths: [String]
    }

    private static let tagPrefix = "__tag__:"

    private let index: IndexConfiguration
    private(set) var conditions: [BoundCondition] = []
    private(set) var fields: [Field] = []
    private(set) var terms: [LogAnswer.Term] = []
    private(set) var isPhraseSearch = false

    init(index: IndexConfiguration) { self.index = index }

    mutating func bind(_ expression: SearchExpression, isNegated: Bool = false) throws(LogServiceError) -> BoundExpression {
        switch expression {
        case .all: return .all
        case .not(let part): return .not(try bind(part, isNegated: !isNegated))
        case .and(let parts): return .and(try bind(parts, isNegated: isNegated))
        case .or(let parts): return .or(try bind(parts, isNegated: isNegated))
        case .condition(let condition):
            try add(condition, isNegated: isNegated)
            return .condition(conditions.count - 1)
        }
    }

    private mutating func bind(_ parts: [SearchExpression], isNegated: Bool) throws(LogServiceError) -> [BoundExpression] {
        var bound: [BoundExpression] = []
        for part in parts { bound.append(try bind(part, isNegated: isNegated)) }
        return bound
    }

    private mutating func add(_ condition: SearchCondition, isNegated: Bool) throws(LogServiceError) {
        let place = try place(of: condition)
        let test = try ConditionTest(condition, place.kind).test()
        var field = -1
        var path = -1
        switch place.target {
        case .field(let key): (field, path) = number(of: key, path: nil)
        case .leaf(let key, let below): (field, path) = number(of: key, path: below)
        case .line, .topic, .source, .tag: break
        }
        conditions.append(BoundCondition(target: place.target, test: test, field: field, path: path))
        guard case .value(let value) = condition.test else { return }
        isPhraseSearch = isPhraseSearch || value.form == .phrase
        guard !isNegated, let words = test.words else { return }
        for term in value.terms(by: words.rules) {
            let entry = LogAnswer.Term(key: condition.key ?? "", term: term)
            if !terms.contains(entry) { terms.append(entry) }
        }
    }

    /// Keys are compared by their bytes, as they are in logs: two spellings of one accented letter are two keys.
    private mutating func number(of key: String, path: String?) -> (field: Int, path: Int) {
        let field = fields.firstIndex { $0.key.utf8.elementsEqual(key.utf8) } ?? fields.count
        if field == fields.count { fields.append(Field(key: key, paths: [])) }
        guard let path else { return (field, -1) }
        let place = fields[field].paths.firstIndex { $0.utf8.elementsEqual(path.utf8) } ?? fields[field].paths.count
        if place == fields[field].paths.count { fields[field].paths.append(path) }
        return (field, place)
    }

    private func place(of condition: SearchCondition) throws(LogServiceError) -> (target: BoundCondition.Target, kind: FieldKind)
    {
        guard let key = condition.key else {
            guard let line = index.line else {
                throw .parameter(
                    "The logstore has no full-text index for the word at column \(condition.column): write key:value.")
            }
            return (.line, .text(line, isJSON: false))
        }
        switch key {
        case "__topic__": return (.topic, reservedKind(key))
        case "__source__", "source": return (.source, reservedKind("__source__"))
        case "__time__":
            throw .parameter(
                "__time__ at column \(condition.column) cannot be searched: the request's from and to choose the time.")
        case "Source", "SOURCE":
            // A field called source hides behind the reserved one; it is reached by these names.
            if index.fields[key] == nil, let field = index.fields["source"] { return (.field("source"), FieldKind(field)) }
        default: break
        }
        if key.hasPrefix(Self.tagPrefix) {
            return (.tag(String(key.dropFirst(Self.tagPrefix.count))), reservedKind(key))
        }
        if let field = index.fields[key] { return (.field(key), FieldKind(field)) }
        if let leaf = leaf(key) { return leaf }
        throw .parameter(
            "key (\(key)) is not config as key value config,if symbol : is in your log,please wrap : with quotation mark \"")
    }

    /// Topic, source and tags are always indexed, as one word each, unless the index says how.
    private func reservedKind(_ key: String) -> FieldKind {
        index.fields[key].map { FieldKind($0) } ?? .text(IndexConfiguration.Text(delimiters: []), isJSON: false)
    }

    /// A path below a JSON field, whose own key may have dots: the longest such key that has the path counts.
    private func leaf(_ key: String) -> (target: BoundCondition.Target, kind: FieldKind)? {
        let keys = key.split(separator: ".", omittingEmptySubsequences: false)
        guard keys.count <= JSONScanner.deepest else { return nil }
        for count in (1..<max(1, keys.count)).reversed() {
            let field = keys[..<count].joined(separator: ".")
            guard case .json(let json) = index.fields[field] else { continue }
            let path = keys[count...].joined(separator: ".")
            if let leaf = json.leaves[path] { return (.leaf(field: field, path: path), FieldKind(leaf.kind)) }
            if json.indexesAll, keys.count - count <= json.maxDepth ?? .max {
                return (.leaf(field: field, path: path), .text(json.text, isJSON: false))
            }
        }
        return nil
    }
}
