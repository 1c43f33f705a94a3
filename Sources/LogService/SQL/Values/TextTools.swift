// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Work on texts that counts in code points, as SQL does.
enum TextTools {
    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }

    static func trimmed(_ text: String) -> String { trimmedEnd(trimmedStart(text)) }

    static func trimmedStart(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.drop(while: isBlank)))
    }

    static func trimmedEnd(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let last = scalars.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(text[...last])
    }

    /// From a place that counts from 1, or from the end if negative; empty if there is nothing.
    static func part(_ text: String, from start: Int64, count: Int64?) -> String {
        let scalars = text.unicodeScalars
        if start == 0 || (count ?? 1) <= 0 { return "" }
        let first: String.Index?
        if start > 0 {
            first = scalars.index(scalars.startIndex, offsetBy: clamped(start - 1), limitedBy: scalars.endIndex)
        } else {
            first = scalars.index(
                scalars.endIndex, offsetBy: -clamped(start == .min ? .max : -start), limitedBy: scalars.startIndex)
        }
        guard let first else { return "" }
        let end = count.flatMap { scalars.index(first, offsetBy: clamped($0), limitedBy: scalars.endIndex) } ?? scalars.endIndex
        return String(text[first..<end])
    }

    private static func clamped(_ count: Int64) -> Int { Int(min(count, Int64(Int32.max))) }

    /// Byte ranges of a part that is not empty, from left to right, none overlapping.
    static func ranges(of part: String, in text: String, limit: Int = .max) -> [Range<Int>] {
        var (text, part) = (text, part)
        return text.withUTF8 { bytes in
            part.withUTF8 { needle in
                var found: [Range<Int>] = []
                guard !needle.isEmpty, needle.count <= bytes.count else { return found }
                let borders = borders(of: needle)
                var matched = 0
                for place in bytes.indices where found.count < limit {
                    while matched > 0, bytes[place] != needle[matched] { matched = borders[matched - 1] }
                    if bytes[place] == needle[matched] { matched += 1 }
                    if matched == needle.count {
                        found.append(place + 1 - matched..<place + 1)
                        matched = 0
                    }
                }
                return found
            }
        }
    }

    /// Of each beginning the longest shorter one that it ends with, so that a search never goes back; source: Knuth, Morris
    /// and Pratt, "Fast Pattern Matching in Strings".
    private static func borders(of needle: UnsafeBufferPointer<UInt8>) -> [Int] {
        var borders = [Int](repeating: 0, count: needle.count)
        var length = 0
        for place in needle.indices.dropFirst() {
            while length > 0, needle[place] != needle[length] { length = borders[length - 1] }
            if needle[place] == needle[length] { length += 1 }
            borders[place] = length
        }
        return borders
    }

    static func text(_ text: String, _ range: Range<Int>) -> String {
        String(decoding: text.utf8.dropFirst(range.lowerBound).prefix(range.count), as: UTF8.self)
    }

    /// The number of the code point, from 1, that begins at a byte.
    static func place(ofByte byte: Int, in text: String) -> Int64 {
        Int64(text.utf8.prefix(byte).reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }) + 1
    }

    static func split(_ text: String, by delimiter: String, limit: Int = .max) -> [String] {
        var parts: [String] = []
        var start = 0
        for range in ranges(of: delimiter, in: text, limit: limit - 1) {
            parts.append(self.text(text, start..<range.lowerBound))
            start = range.upperBound
        }
        parts.append(self.text(text, start..<text.utf8.count))
        return parts
    }
}

/// A pattern of LIKE: `%` for any run of characters, `_` for one.
struct LikePattern: Sendable {
    private enum Part: Sendable {
        case byte(UInt8)
        case one
        case any
    }

    private var parts: [Part] = []

    init(_ pattern: String, escape: String?) throws {
        let escape = escape?.unicodeScalars.first
        var isEscaped = false
        for scalar in pattern.unicodeScalars {
            if isEscaped {
                guard scalar == "%" || scalar == "_" || scalar == escape else {
                    throw SQLFailure.data("Escape character must be followed by '%', '_' or the escape character itself")
                }
                parts += String(scalar).utf8.map { .byte($0) }
                isEscaped = false
            } else if scalar == escape {
                isEscaped = true
            } else if scalar == "%" {
                parts.append(.any)
            } else if scalar == "_" {
                parts.append(.one)
            } else {
                parts += String(scalar).utf8.map { .byte($0) }
            }
        }
        if isEscaped { throw SQLFailure.data("Escape character must be followed by '%', '_' or the escape character itself") }
    }

    func matches(_ text: String, _ run: SQLRun) throws -> Bool {
        var text = text
        return try text.withUTF8 { try matches($0, run) }
    }

    /// Goes back to the last `%` only, which is enough; so it takes time in the product of both lengths at most.
    private func matches(_ bytes: UnsafeBufferPointer<UInt8>, _ run: SQLRun) throws -> Bool {
        var place = 0
        var part = 0
        var back: (part: Int, place: Int)?
        while true {
            if part < parts.count, case .any = parts[part] {
                back = (part + 1, place)
                part += 1
                continue
            }
            if place == bytes.count, part == parts.count { return true }
            if let next = step(bytes, place, part) {
                place = next
                part += 1
                continue
            }
            guard let (again, from) = back, from < bytes.count else { return false }
            try run.tick()
            var next = from + 1
            while next < bytes.count, bytes[next] & 0xC0 == 0x80 { next += 1 }
            back = (again, next)
            part = again
            place = next
        }
    }

    private func step(_ bytes: UnsafeBufferPointer<UInt8>, _ place: Int, _ part: Int) -> Int? {
        guard place < bytes.count, part < parts.count else { return nil }
        switch parts[part] {
        case .byte(let byte): return bytes[place] == byte ? place + 1 : nil
        case .any: return nil
        case .one:
            var next = place + 1
            while next < bytes.count, bytes[next] & 0xC0 == 0x80 { next += 1 }
            return next
        }
    }
}
