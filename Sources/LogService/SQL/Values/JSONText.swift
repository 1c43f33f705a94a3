// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// JSON as it lies in a text. Values are found as ranges of bytes; nothing is built.
///
/// Of two members with one name the first counts. Depth is bounded.
struct JSONText {
    struct Fault: Error {}

    let bytes: [UInt8]
    private var place = 0

    static let maximumDepth = 100

    init(_ text: String) { bytes = Array(text.utf8) }

    private var byte: UInt8 { place < bytes.count ? bytes[place] : 0 }

    private mutating func skipBlanks() {
        while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
    }

    private mutating func expect(_ expected: UInt8) throws {
        guard place < bytes.count, bytes[place] == expected else { throw Fault() }
        place += 1
    }

    /// Passes over one value and tells where it lies.
    private mutating func value(_ depth: Int = 0) throws -> Range<Int> {
        if depth > JSONText.maximumDepth { throw Fault() }
        skipBlanks()
        let start = place
        switch byte {
        case 0x7B:
            try members(depth) { text, _ in _ = try text.value(depth + 1) }
        case 0x5B:
            try elements(depth) { text, _ in _ = try text.value(depth + 1) }
        case 0x22: _ = try string()
        case 0x74: try word("true")
        case 0x66: try word("false")
        case 0x6E: try word("null")
        default: try number()
        }
        return start..<place
    }

    private mutating func members(_ depth: Int, _ body: (inout JSONText, Range<Int>) throws -> Void) throws {
        try expect(0x7B)
        skipBlanks()
        if byte == 0x7D {
            place += 1
            return
        }
        while true {
            skipBlanks()
            let name = try string()
            skipBlanks()
            try expect(0x3A)
            try body(&self, name)
            skipBlanks()
            if byte == 0x2C {
                place += 1
                continue
            }
            return try expect(0x7D)
        }
    }

    private mutating func elements(_ depth: Int, _ body: (inout JSONText, Int) throws -> Void) throws {
        try expect(0x5B)
        skipBlanks()
        if byte == 0x5D {
            place += 1
            return
        }
        var index = 0
        while true {
            try body(&self, index)
            index += 1
            skipBlanks()
            if byte == 0x2C {
                place += 1
                continue
            }
            return try expect(0x5D)
        }
    }

    /// The range within the quotation marks.
    private mutating func string() throws -> Range<Int> {
        try expect(0x22)
        let start = place
        while place < bytes.count {
            switch bytes[place] {
            case 0x22:
                place += 1
                return start..<place - 1
            case 0x5C: place += 2
            case 0..<0x20: throw Fault()
            default: place += 1
            }
        }
        throw Fault()
    }

    private mutating func word(_ word: StaticString) throws {
        for index in 0..<word.utf8CodeUnitCount { try expect(word.utf8Start[index]) }
    }

    private mutating func number() throws {
        func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
        if byte == 0x2D { place += 1 }
        guard isDigit(byte) else { throw Fault() }
        while isDigit(byte) { place += 1 }
        if byte == 0x2E {
            place += 1
            guard isDigit(byte) else { throw Fault() }
            while isDigit(byte) { place += 1 }
        }
        if byte | 0x20 == 0x65 {
            place += 1
            if byte == 0x2B || byte == 0x2D { place += 1 }
            guard isDigit(byte) else { throw Fault() }
            while isDigit(byte) { place += 1 }
        }
    }

    private mutating func end() throws {
        skipBlanks()
        guard place == bytes.count else { throw Fault() }
    }

    /// The whole text's value.
    mutating func root() throws -> Range<Int> {
        place = 0
        let range = try value()
        try end()
        return range
    }

    /// The value at a path; nil if there is none. The whole text is checked.
    mutating func find(_ path: JSONPath) throws -> Range<Int>? {
        place = 0
        let found = try find(path.steps[...], 0)
        try end()
        return found
    }

    private mutating func find(_ steps: ArraySlice<JSONPath.Step>, _ depth: Int) throws -> Range<Int>? {
        guard let step = steps.first else { return try value(depth) }
        if depth > JSONText.maximumDepth { throw Fault() }
        skipBlanks()
        var found: Range<Int>?
        let rest = steps.dropFirst()
        if byte == 0x7B, case .key(let key) = step {
            var isFound = false
            try members(depth) { text, name in
                if !isFound, text.isEqual(name, key) {
                    isFound = true
                    found = try text.find(rest, depth + 1)
                } else {
                    _ = try text.value(depth + 1)
                }
            }
        } else if byte == 0x5B, case .index(let wanted) = step {
            try elements(depth) { text, index in
                if index == wanted { found = try text.find(rest, depth + 1) } else { _ = try text.value(depth + 1) }
            }
        } else {
            _ = try value(depth)
        }
        return found
    }

    private func isEqual(_ name: Range<Int>, _ key: String) -> Bool {
        let raw = bytes[name]
        if !raw.contains(0x5C) { return raw.elementsEqual(key.utf8) }
        return (try? unescaped(name)).map { $0.hasSameBytes(as: key) } ?? false
    }

    /// Ranges of an array's elements; nil if the text is no array.
    mutating func arrayElements() throws -> [Range<Int>]? {
        var ranges: [Range<Int>] = []
        place = 0
        skipBlanks()
        guard byte == 0x5B else {
            _ = try root()
            return nil
        }
        try elements(0) { text, _ in ranges.append(try text.value(1)) }
        try end()
        return ranges
    }

    /// Names and ranges of an object's members; nil if the text is no object.
    mutating func objectMembers() throws -> [(name: String, value: Range<Int>)]? {
        var found: [(String, Range<Int>)] = []
        place = 0
        skipBlanks()
        guard byte == 0x7B else {
            _ = try root()
            return nil
        }
        try members(0) { text, name in found.append((try text.unescaped(name), try text.value(1))) }
        try end()
        return found
    }
}
