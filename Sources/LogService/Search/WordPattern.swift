// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One word that is looked for, perhaps with wildcards.
struct WordPattern: Sendable, Equatable {
    enum Element: Sendable, Equatable {
        /// In lower case unless case matters.
        case scalar(UInt32)
        /// Exactly one character.
        case one
        /// Any characters, or none.
        case any
    }

    let elements: [Element]
    /// If bytes can be compared, but for the case of ASCII letters: the word has no wildcards, and either case matters or all of
    /// it is ASCII.
    private let bytes: [UInt8]?
    private let isCaseSensitive: Bool
    /// If every such word begins with one ASCII letter, in either case unless case matters; else 0.
    private let firstByte: UInt8
    /// The longest run of characters that each such word has, in either case unless case matters: of ASCII, and of what stands as
    /// it is in JSON, unless it is a `\u` escape. May be empty.
    let part: [UInt8]

    init(_ elements: [Element], rules: TextRules) {
        let folded = elements.map { element in
            if case .scalar(let scalar) = element { Element.scalar(rules.folded(scalar)) } else { element }
        }
        // Two runs of anything are one; without this each would be tried against the other.
        self.elements = folded.indices.filter { $0 == 0 || folded[$0] != .any || folded[$0 - 1] != .any }.map { folded[$0] }
        isCaseSensitive = rules.isCaseSensitive
        if case .scalar(let value) = folded.first, value < 0x80 { firstByte = UInt8(value) } else { firstByte = 0 }
        var bytes: [UInt8]? = []
        for element in folded {
            guard case .scalar(let value) = element, isCaseSensitive || value < 0x80, let scalar = Unicode.Scalar(value) else {
                bytes = nil
                break
            }
            bytes?.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
        self.bytes = bytes
        part = Self.longestPart(folded)
    }

    private static func longestPart(_ elements: [Element]) -> [UInt8] {
        let runs = elements.map { element -> UInt8? in
            guard case .scalar(let value) = element, 0x20..<0x7F ~= value, !"\"\\/".utf8.contains(UInt8(value)) else {
                return nil
            }
            return UInt8(value)
        }.split(separator: nil)
        return runs.max { $0.count < $1.count }?.compactMap(\.self) ?? []
    }

    var hasWildcards: Bool { elements.contains { $0 == .any || $0 == .one } }

    @inline(__always)
    func matches(_ word: UnsafeRawBufferPointer) -> Bool {
        guard let bytes else {
            guard let first = word.first, firstByte == 0 || firstByte == folded(first) else { return false }
            return matchesElements(word)
        }
        guard bytes.count == word.count else { return false }
        return bytes.withUnsafeBytes { bytes in
            for index in 0..<bytes.count {
                guard bytes[index] == folded(word[index]) else { return false }
            }
            return true
        }
    }

    @inline(__always)
    private func folded(_ byte: UInt8) -> UInt8 { isCaseSensitive ? byte : ScalarText.lowercase(ascii: byte) }

    /// Walks along the word; when it does not fit, the last `any` takes one character more.
    private func matchesElements(_ word: UnsafeRawBufferPointer) -> Bool {
        var element = 0
        var place = 0
        var lastAny: Int?
        var retry = 0
        while place < word.count {
            let (scalar, length) = ScalarText.scalar(in: word, at: place)
            if element < elements.count {
                switch elements[element] {
                case .any:
                    guard element + 1 < elements.count else { return true }
                    lastAny = element
                    retry = place
                    element += 1
                    continue
                case .scalar(let wanted) where wanted != (isCaseSensitive ? scalar : ScalarText.lowercase(scalar)): break
                case .one, .scalar:
                    element += 1
                    place += length
                    continue
                }
            }
            guard let any = lastAny else { return false }
            retry += ScalarText.scalar(in: word, at: retry).length
            place = retry
            element = any + 1
        }
        return elements[element...].allSatisfy { $0 == .any }
    }
}
