// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Writes JSON records with the numbers of a ``PhraseBook``; see ``PhraseCode`` for the bytes. For one thread at a time.
package final class PhraseWriter {
    /// Shorter records have nothing to gain.
    private static let shortest = 64
    /// Looking through more earlier values than these would cost more than it gains.
    private static let earlierLimit = 256
    private static let identifierLimit = 255

    private let book: PhraseBook
    private var output = GrowingBytes(capacity: 4096)
    /// Of the record at hand.
    private var longValues: [Range<Int>] = []
    private var hasText = false
    /// Where the object of parameters begins, once somebody asked.
    private var objectStart: Int??
    private var identifiers: [UInt8] = []

    package init(book: PhraseBook) { self.book = book }

    deinit { output.free() }

    /// A coded record, and 16 bytes for each of its identifiers; valid until the next one is written.
    package struct Coded {
        package var bytes: UnsafeRawBufferPointer
        package var identifiers: [UInt8]
    }

    /// Nil for a record that stays as it is: it gains nothing, or holds a zero or a value that begins with a control
    /// character, which no JSON does.
    ///
    /// Each part is written only as what it is: a phrase and a value as the entry of the book with the same bytes.
    package func write(_ body: UnsafeRawBufferPointer) -> Coded? { write(body) { _, _ in } }

    /// - Parameter visit: told of each token as a reader will find it, but with ranges of the body, and in which range the
    ///   value of an identifier is.
    @inline(__always)
    func write(_ body: UnsafeRawBufferPointer, visit: (PhraseTokens.Token, Range<Int>) -> Void) -> Coded? {
        guard body.count >= Self.shortest else { return nil }
        output.removeAll()
        longValues.removeAll(keepingCapacity: true)
        identifiers.removeAll(keepingCapacity: true)
        hasText = false
        objectStart = nil
        // Two bytes of a record can become five: a phrase and a value of one byte each.
        output.makeRoom(for: 3 * body.count + 64)
        guard writeParts(of: body, visit), output.count + identifiers.count < body.count else { return nil }
        return Coded(bytes: output.buffer, identifiers: identifiers)
    }

    @inline(__always)
    private func writeParts(of body: UnsafeRawBufferPointer, _ visit: (PhraseTokens.Token, Range<Int>) -> Void) -> Bool {
        var parts = RecordParts(body)
        var expected = book.first
        while true {
            var number = expected
            var part = expected.flatMap { book.phrases.withBytes(of: $0) { parts.next(ifPhraseIs: $0) } }
            if part == nil {
                part = parts.next()
                number = part.flatMap { book.phrases.number(of: UnsafeRawBufferPointer(rebasing: body[$0.phrase])) }
            }
            guard let part else { return true }
            if let number {
                put(phrase: number)
                visit(.phrase(number), part.phrase)
                expected = book.following[number]
            } else {
                put(literalPhrase: UnsafeRawBufferPointer(rebasing: body[part.phrase]))
                visit(.literalPhrase(part.phrase), part.phrase)
                expected = nil
            }
            guard let value = part.value else { return true }
            guard let token = put(value: value, of: body, after: part.phrase, number) else { return false }
            visit(token, value)
        }
    }

    private func put(_ byte: UInt8) { output.appendUnchecked(byte) }

    private func put(_ bytes: UnsafeRawBufferPointer) { output.append(bytes) }

    private func put(varint value: Int) {
        var value = value
        while value >= 0x80 {
            put(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        put(UInt8(value))
    }

    private func put(phrase number: Int) {
        if number < PhraseCode.shortPhrases { return put(PhraseCode.firstPhrase + UInt8(number)) }
        put(PhraseCode.firstPage + UInt8((number - PhraseCode.shortPhrases) >> 8))
        put(UInt8(truncatingIfNeeded: number - PhraseCode.shortPhrases))
    }

    private func put(literalPhrase: UnsafeRawBufferPointer) {
        put(PhraseCode.literalPhrase)
        put(varint: literalPhrase.count)
        put(literalPhrase)
    }

    /// Nil for a value that has no form.
    private func put(
        value range: Range<Int>, of body: UnsafeRawBufferPointer, after phrase: Range<Int>, _ phraseNumber: Int?
    ) -> PhraseTokens.Token? {
        let value = UnsafeRawBufferPointer(rebasing: body[range])
        if value.count == Identifier.textLength, value[8] == UInt8(ascii: "-") {
            if let token = put(identifier: value, range, of: body) { return token }
        } else if value.count > 1, let number = number(of: value, after: phraseNumber) {
            put(PhraseCode.firstValuePage + UInt8(number >> 8))
            put(UInt8(truncatingIfNeeded: number))
            return .value(number)
        }
        if value.count >= PhraseCode.repeatLength {
            if let length = lengthOfRepeatedObject(value, in: body, after: phrase) {
                hasText = true
                put(PhraseCode.textMark)
                put(varint: length)
                return .text(length)
            }
            if let token = putEarlier(value, of: body) { return token }
            longValues.append(range)
            guard longValues.count <= Self.earlierLimit else { return nil }
        }
        guard value.first ?? PhraseCode.firstPlain >= PhraseCode.firstPlain, memchr(value.baseAddress!, 0, value.count) == nil
        else { return nil }
        put(value)
        put(0)
        return .literalValue(range)
    }

    private func number(of value: UnsafeRawBufferPointer, after phrase: Int?) -> Int? {
        if let usual = phrase.flatMap({ book.usual[$0] }), book.values.withBytes(of: usual, { $0.isSame(as: value) }) {
            return usual
        }
        return book.values.number(of: value)
    }

    private func putEarlier(_ value: UnsafeRawBufferPointer, of body: UnsafeRawBufferPointer) -> PhraseTokens.Token? {
        let same = longValues.firstIndex { UnsafeRawBufferPointer(rebasing: body[$0]).isSame(as: value) }
        guard let same, same < 256 else { return nil }
        put(PhraseCode.repeatMark)
        put(UInt8(same))
        return .earlierValue(same)
    }

    private func put(
        identifier value: UnsafeRawBufferPointer, _ range: Range<Int>, of body: UnsafeRawBufferPointer
    ) -> PhraseTokens.Token? {
        if let token = putEarlier(value, of: body) { return token }
        guard identifiers.count < Self.identifierLimit * Identifier.size, longValues.count < Self.earlierLimit else { return nil }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Identifier.size) { bytes in
            guard let letters = Identifier.parse(value, into: bytes.baseAddress!) else { return nil }
            identifiers.append(contentsOf: bytes)
            longValues.append(range)
            put(letters == .upper ? PhraseCode.upperMark : PhraseCode.lowerMark)
            return .identifier(letters)
        }
    }

    private func lengthOfRepeatedObject(
        _ value: UnsafeRawBufferPointer, in body: UnsafeRawBufferPointer, after phrase: Range<Int>
    ) -> Int? {
        let key = RepeatedObject.textKey
        guard !hasText, value[0] == UInt8(ascii: "{"), phrase.count >= key.count,
            memcmp(body.baseAddress! + phrase.upperBound - key.count, key, key.count) == 0,
            let start = placeOfObject(in: body),
            let length = RepeatedObject.length(of: value, in: UnsafeRawBufferPointer(rebasing: body[start...])),
            // The reader has no text yet when it looks for the object: what is copied must not reach into it.
            start >= phrase.upperBound || start + length <= phrase.upperBound
        else { return nil }
        return length
    }

    private func placeOfObject(in body: UnsafeRawBufferPointer) -> Int? {
        if let known = objectStart { return known }
        let found = RepeatedObject.start(in: body)
        objectStart = .some(found)
        return found
    }
}
