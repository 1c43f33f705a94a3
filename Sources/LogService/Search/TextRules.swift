// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// How a text is cut into words and which letters count as the same: the settings of an index made ready for bytes.
struct TextRules: Sendable, Equatable {
    /// Bit n for the ASCII character n, of 0 to 63 and of 64 to 127.
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private var others: Set<UInt32> = []
    let isCaseSensitive: Bool
    let splitsChinese: Bool

    /// Whole values are words: of topic, source and tags.
    static let undivided = TextRules(IndexConfiguration.Text(delimiters: []))

    init(_ settings: IndexConfiguration.Text) {
        isCaseSensitive = settings.isCaseSensitive
        splitsChinese = settings.splitsChinese
        // A line break of two characters is one Character.
        for scalar in settings.delimiters.lazy.flatMap(\.unicodeScalars) {
            switch scalar.value {
            case 0..<64: low |= 1 << UInt64(scalar.value)
            case 64..<128: high |= 1 << UInt64(scalar.value - 64)
            default: others.insert(scalar.value)
            }
        }
    }

    /// Whether all that parts words here parts them in the engine's word index too.
    var isWithinEngineWords: Bool {
        !partsOtherCharacters && (0..<128).allSatisfy { !isDelimiter(ascii: $0) || WordHasher.isDelimiter($0) }
    }

    private var partsOtherCharacters: Bool { splitsChinese || !others.isEmpty }

    @inline(__always)
    func isDelimiter(ascii byte: UInt8) -> Bool {
        (byte & 64 == 0 ? low : high) &>> UInt64(byte & 63) & 1 == 1
    }

    func isDelimiter(_ scalar: UInt32) -> Bool {
        scalar < 128 ? isDelimiter(ascii: UInt8(scalar)) : others.contains(scalar)
    }

    /// A word of its own, whatever stands beside it.
    func isWordItself(_ scalar: UInt32) -> Bool { splitsChinese && ScalarText.isChinese(scalar) }

    @inline(__always)
    func folded(_ scalar: UInt32) -> UInt32 { isCaseSensitive ? scalar : ScalarText.lowercase(scalar) }

    /// Visits the words of a text until told that no more are needed.
    @inline(__always)
    func forEachWord(in text: UnsafeRawBufferPointer, _ visit: (UnsafeRawBufferPointer) -> Bool) {
        var start = 0
        var place = 0
        while place < text.count {
            let byte = text[place]
            if byte < 0x80 {
                guard isDelimiter(ascii: byte) else {
                    place &+= 1
                    continue
                }
                if place > start, !visit(UnsafeRawBufferPointer(rebasing: text[start..<place])) { return }
                place &+= 1
                start = place
                continue
            }
            guard partsOtherCharacters else {
                place &+= 1
                continue
            }
            let (scalar, length) = ScalarText.scalar(in: text, at: place)
            let isItself = isWordItself(scalar)
            if isItself || others.contains(scalar) {
                if place > start, !visit(UnsafeRawBufferPointer(rebasing: text[start..<place])) { return }
                if isItself, !visit(UnsafeRawBufferPointer(rebasing: text[place..<place + length])) { return }
                start = place + length
            }
            place += length
        }
        if text.count > start { _ = visit(UnsafeRawBufferPointer(rebasing: text[start...])) }
    }
}
