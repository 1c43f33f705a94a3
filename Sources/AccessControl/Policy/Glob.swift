// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A pattern in which `*` is any run of characters, also none, and `?` is one character (a Unicode scalar).
///
/// Matching takes time in proportion to the text: what stands before the first `*` and behind the last is compared in
/// place, and each run between two `*` is looked for once, from left to right, without ever going back (Knuth, Morris
/// and Pratt). Runs that hold a `?` cannot be looked for that way; they are tried at every place, and so kept short.
struct Glob: Sendable, Hashable {
    /// Characters that a run with `?` between two `*` may have.
    static let longestSearch = 128

    let bytes: [UInt8]
    let links: [UInt16]

    init(_ pattern: String) {
        bytes = Array(pattern.utf8)
        links = Self.links(bytes)
    }

    func matches(_ text: String) -> Bool {
        Self.matches(bytes.span, links: links.span, Array(text.utf8).span)
    }

    static func isSearchable(_ pattern: String) -> Bool {
        pattern.split(at: star).dropFirst().dropLast().allSatisfy { run in
            !run.utf8.contains(questionMark) || run.unicodeScalars.count <= longestSearch
        }
    }
}

extension Glob {
    static let star = UInt8(ascii: "*")
    static let questionMark = Ascii.questionMark

    /// For each byte, how long the longest proper prefix of its run is that ends there too.
    static func links(_ pattern: [UInt8]) -> [UInt16] {
        var links = [UInt16](repeating: 0, count: pattern.count)
        var start = 0
        var length = 0
        for place in pattern.indices {
            if pattern[place] == star {
                start = place + 1
                length = 0
            } else if place > start {
                while length > 0, pattern[start + length] != pattern[place] { length = Int(links[start + length - 1]) }
                if pattern[start + length] == pattern[place] { length += 1 }
                links[place] = UInt16(length)
            }
        }
        return links
    }

    /// - Parameter links: of the pattern's bytes.
    static func matches(_ pattern: Span<UInt8>, links: Span<UInt16>, _ text: Span<UInt8>) -> Bool {
        guard let first = firstStar(in: pattern, from: 0) else {
            return end(of: pattern, 0..<pattern.count, in: text, from: 0) == text.count
        }
        guard var start = end(of: pattern, 0..<first, in: text, from: 0) else { return false }
        var last = pattern.count - 1
        while pattern[last] != star { last -= 1 }
        let tail = (last + 1)..<pattern.count
        guard let tailStart = place(ofLast: pattern, tail, in: text), tailStart >= start,
            end(of: pattern, tail, in: text, from: tailStart) == text.count
        else { return false }
        var place = first + 1
        while place < last {
            let next = firstStar(in: pattern, from: place) ?? last
            if next > place {
                guard let found = find(pattern, place..<next, links: links, in: text, from: start, to: tailStart) else {
                    return false
                }
                start = found
            }
            place = next + 1
        }
        return true
    }

    private static func firstStar(in pattern: Span<UInt8>, from: Int) -> Int? {
        var place = from
        while place < pattern.count {
            if pattern[place] == star { return place }
            place += 1
        }
        return nil
    }

    /// Where a run without `*` ends if it stands at `from`.
    private static func end(of pattern: Span<UInt8>, _ run: Range<Int>, in text: Span<UInt8>, from: Int) -> Int? {
        var at = from
        var place = run.lowerBound
        while place < run.upperBound {
            guard at < text.count else { return nil }
            if pattern[place] == questionMark {
                at = nextScalar(in: text, from: at)
            } else {
                guard pattern[place] == text[at] else { return nil }
                at += 1
            }
            place += 1
        }
        return at
    }

    /// Where a run must begin to reach the end of the text.
    private static func place(ofLast pattern: Span<UInt8>, _ run: Range<Int>, in text: Span<UInt8>) -> Int? {
        var at = text.count
        var place = run.upperBound
        while place > run.lowerBound {
            place -= 1
            guard at > 0 else { return nil }
            at -= 1
            if pattern[place] == questionMark {
                while at > 0, isContinuation(text[at]) { at -= 1 }
            }
        }
        return at
    }

    /// The end of the first place between `from` and `to` where a run stands.
    private static func find(
        _ pattern: Span<UInt8>, _ run: Range<Int>, links: Span<UInt16>, in text: Span<UInt8>, from: Int, to: Int
    ) -> Int? {
        var hasQuestionMark = false
        for place in run where pattern[place] == questionMark { hasQuestionMark = true }
        return hasQuestionMark
            ? tryEverywhere(pattern, run, in: text, from: from, to: to)
            : search(pattern, run, links: links, in: text, from: from, to: to)
    }

    private static func search(
        _ pattern: Span<UInt8>, _ run: Range<Int>, links: Span<UInt16>, in text: Span<UInt8>, from: Int, to: Int
    ) -> Int? {
        var length = 0
        var at = from
        while at < to {
            while length > 0, pattern[run.lowerBound + length] != text[at] {
                length = Int(links[run.lowerBound + length - 1])
            }
            if pattern[run.lowerBound + length] == text[at] { length += 1 }
            at += 1
            if length == run.count { return at }
        }
        return nil
    }

    private static func tryEverywhere(
        _ pattern: Span<UInt8>, _ run: Range<Int>, in text: Span<UInt8>, from: Int, to: Int
    ) -> Int? {
        var at = from
        while at < to {
            if !isContinuation(text[at]), let end = end(of: pattern, run, in: text, from: at), end <= to { return end }
            at += 1
        }
        return nil
    }

    private static func nextScalar(in text: Span<UInt8>, from: Int) -> Int {
        var at = from + 1
        while at < text.count, isContinuation(text[at]) { at += 1 }
        return at
    }

    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xc0 == 0x80 }
}
