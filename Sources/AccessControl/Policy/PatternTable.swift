// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Many patterns in one run of bytes.
struct PatternTable: Sendable {
    struct Pattern: Sendable {
        /// What can be compared without looking for a `*`.
        enum Form: UInt8, Sendable { case anything, literal, prefix, general }

        var form: Form
        var start: Int32
        /// Without the `*` that ends a prefix.
        var count: Int32
    }

    private var bytes: [UInt8] = []
    private var links: [UInt16] = []

    mutating func add(_ text: String) -> Pattern {
        let pattern = Array(text.utf8)
        let start = bytes.count
        let wild = pattern.firstIndex { $0 == Glob.star || $0 == Glob.questionMark }
        let form: Pattern.Form =
            switch wild {
            case nil: .literal
            case 0? where pattern == [Glob.star]: .anything
            case let place? where place == pattern.count - 1 && pattern[place] == Glob.star: .prefix
            default: .general
            }
        bytes += pattern
        links += form == .general ? Glob.links(pattern) : [UInt16](repeating: 0, count: pattern.count)
        return Pattern(form: form, start: Int32(start), count: Int32(pattern.count - (form == .prefix ? 1 : 0)))
    }

    func matches(_ pattern: Pattern, _ text: Span<UInt8>) -> Bool {
        switch pattern.form {
        case .anything: return true
        case .literal where Int(pattern.count) != text.count: return false
        case .prefix where Int(pattern.count) > text.count: return false
        case .literal, .prefix:
            let bytes = bytes.span
            let start = Int(pattern.start)
            var place = 0
            while place < Int(pattern.count) {
                if bytes[start + place] != text[place] { return false }
                place += 1
            }
            return true
        case .general:
            let range = Int(pattern.start)..<Int(pattern.start + pattern.count)
            return Glob.matches(bytes.span.extracting(range), links: links.span.extracting(range), text)
        }
    }
}
