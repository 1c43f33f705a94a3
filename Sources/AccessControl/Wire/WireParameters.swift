// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The parameters of a query or a form, decoded, in the order they were written, repeats included.
public struct WireParameters: Sendable, Hashable {
    public struct Parameter: Sendable, Hashable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var all: [Parameter]

    public init(_ all: [Parameter] = []) {
        self.all = all
    }

    /// Takes a raw query or form apart: at `&`, then at the first `=`, then `+` for a space and `%XX` for a byte.
    ///
    /// `name` and `name=` read alike, as an empty value. Source: actiontrail.md section 1.2, oss.md section 3.
    public init(decoding text: String, limits: WireLimits = WireLimits()) throws(WireFault) {
        try self.init(decoding: Array(text.utf8), part: "query", limits: limits)
    }

    init(decoding bytes: [UInt8], part: String, limits: WireLimits) throws(WireFault) {
        all = []
        for piece in bytes.split(separator: Ascii.ampersand) {
            if all.count == limits.parameters { throw .tooMany(things: "parameters", limit: limits.parameters) }
            let equals = piece.firstIndex(of: Ascii.equals)
            let value = equals.map { piece[($0 + 1)...] } ?? []
            guard let name = PercentEncoding.decode(piece[..<(equals ?? piece.endIndex)], plusIsSpace: true),
                let value = PercentEncoding.decode(value, plusIsSpace: true)
            else { throw .badEncoding(part: part) }
            all.append(Parameter(name, value))
        }
    }

    /// The value of a parameter; of a repeated one, the first (oss.md section 7).
    public subscript(name: String) -> String? {
        all.first { $0.name.hasSameBytes(as: name) }?.value
    }

    /// `name=value` pairs percent-encoded for the wire, in the order written.
    public var encodedQuery: String {
        all.map { PercentEncoding.encode($0.name) + "=" + PercentEncoding.encode($0.value) }.joined(separator: "&")
    }

    mutating func append(_ others: WireParameters) {
        all += others.all
    }

    func without(_ name: String) -> WireParameters {
        WireParameters(all.filter { !$0.name.hasSameBytes(as: name) })
    }
}

extension Sequence {
    /// Sorts by the bytes of a text, not by `String`'s order, which follows Unicode equivalence.
    ///
    /// Equal texts keep their order. For repeated parameters this matters: the order of their values is then part of
    /// what is signed, and "the first counts" cannot be turned round on the way.
    func sortedByBytes(of text: (Element) -> String) -> [Element] {
        enumerated()
            .map { (key: text($0.element), place: $0.offset, element: $0.element) }
            .sorted { one, other in
                if one.key.utf8.elementsEqual(other.key.utf8) { return one.place < other.place }
                return one.key.utf8.lexicographicallyPrecedes(other.key.utf8)
            }
            .map(\.element)
    }
}
