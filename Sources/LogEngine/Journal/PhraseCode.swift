// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Reads a JSON record that was written with the numbers of a ``PhraseBook``, byte for byte; ``PhraseWriter`` writes it.
///
/// ```
/// record  = phrase (value phrase)*
/// phrase  = 128 + number | 224 + page, number | 255, length varint, bytes
/// value   = 3 + page, number | bytes, 0
///           1, length varint  so many bytes from the object of requestParameters on, as a text; at most once
///           2, n              the n-th value of the record that is written as bytes and is not short
///           30 | 31           the next one of its identifiers, in upper or lower case
/// ```
/// Source: docs/formats/journal.md. The reader needs no JSON: it puts one part behind the other.
package enum PhraseCode {
    static let shortPhrases = 96
    static let longPhrases = 31 * 256
    static let valuePages = 27

    static let firstPhrase: UInt8 = 128
    static let firstPage: UInt8 = 224
    static let literalPhrase: UInt8 = 255
    static let textMark: UInt8 = 1
    static let repeatMark: UInt8 = 2
    static let firstValuePage: UInt8 = 3
    static let upperMark: UInt8 = 30
    static let lowerMark: UInt8 = 31
    static let firstPlain: UInt8 = 0x20

    /// Values of so many bytes are worth a look for whether the record has them already.
    static let repeatLength = 12

    /// Nil for what no writer makes with this book.
    ///
    /// - Parameter identifiers: 16 bytes each.
    package static func decode(
        _ coded: UnsafeRawBufferPointer, identifiers: UnsafeRawBufferPointer, with book: PhraseBook
    ) -> [UInt8]? {
        var output = GrowingBytes(capacity: 8 * coded.count + 256)
        defer { output.free() }
        var text: (place: Int, length: Int)?
        var longValues: [Range<Int>] = []
        var identifier = 0
        var tokens = PhraseTokens(coded)
        while let token = tokens.next() {
            switch token {
            case .phrase(let number):
                guard number < book.phrases.count else { return nil }
                book.phrases.withBytes(of: number) { output.append($0) }
            case .value(let number):
                guard number < book.values.count else { return nil }
                book.values.withBytes(of: number) { output.append($0) }
            case .literalPhrase(let range): output.append(UnsafeRawBufferPointer(rebasing: coded[range]))
            case .literalValue(let range):
                if range.count >= repeatLength { longValues.append(output.count..<output.count + range.count) }
                output.append(UnsafeRawBufferPointer(rebasing: coded[range]))
            case .identifier(let letters):
                guard identifier + Identifier.size <= identifiers.count else { return nil }
                let bytes = UnsafeRawBufferPointer(rebasing: identifiers[identifier..<identifier + Identifier.size])
                longValues.append(output.count..<output.count + Identifier.textLength)
                output.append(count: Identifier.textLength) { Identifier.write(bytes, letters, into: $0) }
                identifier += Identifier.size
            case .earlierValue(let number):
                guard number < longValues.count else { return nil }
                output.append(again: longValues[number])
            case .text(let length):
                guard text == nil else { return nil }
                text = (output.count, length)
            }
            // A short record cannot become a huge one.
            guard output.count <= JournalFormat.frameRawMaximum else { return nil }
        }
        guard tokens.isWhole, identifier == identifiers.count else { return nil }
        guard let text else { return output.bytes }
        guard let start = RepeatedObject.start(in: output.buffer), text.length <= output.count - start else { return nil }
        return RepeatedObject.putting(textOf: start..<start + text.length, at: text.place, into: output.buffer)
    }
}
