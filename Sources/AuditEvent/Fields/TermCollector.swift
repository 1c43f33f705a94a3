// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Gathers terms, decoding what has escapes into `side`.
struct TermCollector: ~Copyable {
    var terms: [Term] = []
    /// Begins with the words that events without them are given.
    var side: [UInt8] = Array("trueReadWrite".utf8)
    /// Where offsets of values in the events' own bytes count from.
    var base: UnsafePointer<UInt8>

    static let trueWord = ByteSlice(offset: 0, count: 4, isSide: true)
    static let readWord = ByteSlice(offset: 4, count: 4, isSide: true)
    static let writeWord = ByteSlice(offset: 8, count: 5, isSide: true)

    /// Up to so many resource terms of an event are compared one by one, more by hash.
    private static let fewResources = 16
    private var firstResource = 0
    private var seen: Set<UInt64> = []

    init(base: UnsafePointer<UInt8>) {
        self.base = base
    }

    /// A string's decoded bytes; empty for no value and for other values.
    @inline(__always)
    mutating func slice(_ value: JSONValue?) -> ByteSlice {
        guard let value else { return .empty }
        let node = value.node
        guard node.kind == .string else { return .empty }
        if node.hasEscapes { return decoded(value) }
        return ByteSlice(offset: Int(node.start), count: Int(node.end &- node.start), isSide: false)
    }

    @inline(never)
    private mutating func decoded(_ value: JSONValue) -> ByteSlice {
        let content = value.content
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: content.count) { buffer in
            let count = JSONText.decode(content, into: buffer.baseAddress!)
            let offset = side.count
            side.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[..<count]))
            return ByteSlice(offset: offset, count: count, isSide: true)
        }
    }

    @inline(__always)
    mutating func add(_ attribute: LookupAttribute, _ value: ByteSlice) {
        guard !value.isEmpty else { return }
        terms.append(Term(attribute: attribute, value: value))
    }

    /// Runs `body` with the bytes of `slice`. They are not valid after the next value is added.
    @inline(__always)
    func withBytes<Result>(_ slice: ByteSlice, _ body: (Text) -> Result) -> Result {
        guard slice.isSide else { return body(Text(start: base + Int(slice.offset), count: Int(slice.count))) }
        return side.withUnsafeBytes { body(Text(rebasing: $0[slice.range])) }
    }

    /// Says that the resources of another event begin.
    mutating func beginResources() {
        firstResource = terms.count
        if !seen.isEmpty { seen.removeAll(keepingCapacity: true) }
    }

    /// Adds a resource's type or name unless this event has it already.
    mutating func addResource(_ attribute: LookupAttribute, _ value: ByteSlice) {
        guard !value.isEmpty else { return }
        let term = Term(attribute: attribute, value: value)
        if terms.count - firstResource < Self.fewResources {
            for other in terms[firstResource...] where isEqual(other, term) { return }
        } else {
            if seen.isEmpty { for other in terms[firstResource...] { seen.insert(hash(other)) } }
            guard seen.insert(hash(term)).inserted else { return }
        }
        terms.append(term)
    }

    /// Adds the parts of a flat list; `separators` part them.
    mutating func addResources(
        _ attribute: LookupAttribute, _ list: ByteSlice, separatedBy first: UInt8, _ second: UInt8
    ) {
        var start = 0
        for index in 0...Int(list.count) {
            let isEnd = index == Int(list.count)
            let byte = isEnd ? first : self.byte(list, index)
            guard byte == first || byte == second else { continue }
            let part = ByteSlice(offset: Int(list.offset) + start, count: index - start, isSide: list.isSide)
            addResource(attribute, part)
            start = index + 1
        }
    }

    @inline(__always)
    private func byte(_ slice: ByteSlice, _ index: Int) -> UInt8 {
        slice.isSide ? side[Int(slice.offset) + index] : base[Int(slice.offset) + index]
    }

    private func isEqual(_ left: Term, _ right: Term) -> Bool {
        guard left.attribute == right.attribute, left.value.count == right.value.count else { return false }
        return withBytes(left.value) { a in withBytes(right.value) { b in a.equals(b) } }
    }

    // Keyed with the process's random seed. Two names that hash alike, once in 2^64, would count as one.
    private func hash(_ term: Term) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(term.attribute.rawValue)
        withBytes(term.value) { hasher.combine(bytes: $0) }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
