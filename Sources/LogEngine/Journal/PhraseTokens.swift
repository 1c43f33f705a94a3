// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Goes through a record that ``PhraseCode`` wrote, token by token; see there for the bytes.
struct PhraseTokens {
    enum Token {
        /// Numbers in the book.
        case phrase(Int)
        case value(Int)
        /// Ranges of the coded bytes.
        case literalPhrase(Range<Int>)
        case literalValue(Range<Int>)
        case earlierValue(Int)
        /// The next one of the record's identifiers.
        case identifier(Identifier.Case)
        /// Of so many bytes of the object.
        case text(Int)
    }

    private let coded: UnsafeRawBufferPointer
    private var place = 0
    private var isPhraseNext = true
    private var isMalformed = false

    init(_ coded: UnsafeRawBufferPointer) { self.coded = coded }

    /// Whether everything was gone through, and ended as it should.
    var isWhole: Bool { !isMalformed && place == coded.count && !isPhraseNext }

    /// Nil at the end, and at what is no token.
    @inline(__always)
    mutating func next() -> Token? {
        guard place < coded.count else { return nil }
        defer { isPhraseNext.toggle() }
        return isPhraseNext ? nextPhrase() : nextValue()
    }

    private mutating func nextPhrase() -> Token? {
        let byte = coded[place]
        place += 1
        if byte < PhraseCode.firstPhrase { return malformed() }
        if byte < PhraseCode.firstPage { return .phrase(Int(byte - PhraseCode.firstPhrase)) }
        if byte < PhraseCode.literalPhrase {
            guard place < coded.count else { return malformed() }
            place += 1
            return .phrase(PhraseCode.shortPhrases + Int(byte - PhraseCode.firstPage) << 8 + Int(coded[place - 1]))
        }
        guard let length = varint() else { return malformed() }
        guard coded.count - place >= length else { return malformed() }
        place += length
        return .literalPhrase(place - length..<place)
    }

    private mutating func nextValue() -> Token? {
        let byte = coded[place]
        if byte == PhraseCode.textMark {
            place += 1
            return varint().map { .text($0) } ?? malformed()
        }
        if byte == PhraseCode.lowerMark || byte == PhraseCode.upperMark {
            place += 1
            return .identifier(byte == PhraseCode.lowerMark ? .lower : .upper)
        }
        if byte != 0, byte < PhraseCode.firstPlain {
            guard place + 1 < coded.count else { return malformed() }
            let next = Int(coded[place + 1])
            place += 2
            return byte == PhraseCode.repeatMark
                ? .earlierValue(next) : .value(Int(byte - PhraseCode.firstValuePage) << 8 + next)
        }
        let start = place
        while coded[place] != 0 {
            place += 1
            guard place < coded.count else { return malformed() }
        }
        place += 1
        return .literalValue(start..<place - 1)
    }

    private mutating func varint() -> Int? {
        var value = 0
        var shift = 0
        while place < coded.count, shift < 28 {
            let part = coded[place]
            place += 1
            value |= Int(part & 0x7F) << shift
            if part < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    private mutating func malformed() -> Token? {
        isMalformed = true
        place = coded.count
        return nil
    }
}
