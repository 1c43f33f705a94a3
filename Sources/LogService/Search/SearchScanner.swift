// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Reads the words, quoted texts and signs of a search.
struct SearchScanner {
    struct Word: Equatable {
        var text: String
        var isQuoted: Bool
        /// Of its first byte.
        var place: Int

        /// Of `and or not`, in any case.
        var isKeyword: Bool { !isQuoted && ["and", "or", "not"].contains(text.lowercased()) }
    }

    private let bytes: [UInt8]
    private(set) var place = 0

    init(_ search: String) { bytes = Array(search.utf8) }

    /// In characters, from 1. Counted for errors only, it takes a look at all that comes before.
    func column(of place: Int) -> Int { String(decoding: bytes[..<place], as: UTF8.self).count + 1 }
    var isAtEnd: Bool { place == bytes.count }

    mutating func skipBlanks() {
        while place < bytes.count, SearchText.isBlank(bytes[place]) { place += 1 }
    }

    /// The byte that comes next, or at some distance.
    func peek(_ distance: Int = 0) -> UInt8? {
        place + distance < bytes.count ? bytes[place + distance] : nil
    }

    /// Takes a sign if it comes next.
    mutating func take(_ sign: String) -> Bool {
        guard bytes[place...].starts(with: sign.utf8) else { return false }
        place += sign.utf8.count
        return true
    }

    /// A word or a quoted text; nil, and nothing taken, if none comes next.
    mutating func word() throws(LogServiceError) -> Word? {
        let start = place
        if peek() == UInt8(ascii: "\"") {
            return Word(text: try quoted(), isQuoted: true, place: start)
        }
        var text: [UInt8] = []
        while let byte = peek() {
            if SearchText.isEscape(bytes, at: place) {
                text.append(bytes[place + 1])
                place += 2
            } else if SearchText.endsWord(byte) {
                break
            } else {
                text.append(byte)
                place += 1
            }
        }
        return text.isEmpty ? nil : Word(text: String(decoding: text, as: UTF8.self), isQuoted: false, place: start)
    }

    /// What stands between double quotes.
    private mutating func quoted() throws(LogServiceError) -> String {
        let start = place
        var text: [UInt8] = []
        place += 1
        while let byte = peek() {
            if SearchText.isEscape(bytes, at: place) {
                text.append(bytes[place + 1])
                place += 2
            } else if byte == UInt8(ascii: "\"") {
                place += 1
                return String(decoding: text, as: UTF8.self)
            } else {
                text.append(byte)
                place += 1
            }
        }
        throw .parameter("The double quote at column \(column(of: start)) is not closed.")
    }

    /// Whether `in` with a bracket comes next, which is a range and no word.
    func isRange() -> Bool {
        guard peek() == UInt8(ascii: "i"), peek(1) == UInt8(ascii: "n") else { return false }
        var ahead = place + 2
        while ahead < bytes.count, SearchText.isBlank(bytes[ahead]) { ahead += 1 }
        return ahead < bytes.count && (bytes[ahead] == UInt8(ascii: "[") || bytes[ahead] == UInt8(ascii: "("))
    }

    /// What stands up to a blank or the end of a range.
    mutating func rangeNumber() -> String? {
        let start = place
        while let byte = peek(), !SearchText.endsWord(byte), byte != UInt8(ascii: "]"), byte != UInt8(ascii: ",") { place += 1 }
        return place == start ? nil : String(decoding: bytes[start..<place], as: UTF8.self)
    }

    /// What comes next, for an error to name.
    func here() -> String {
        guard let byte = peek() else { return "the end" }
        guard SearchText.endsWord(byte) else {
            var copy = self
            let text = (try? copy.word())?.text ?? ""
            return "'" + (text.count > 40 ? text.prefix(40) + "…" : text[...]) + "'"
        }
        return "'" + String(decoding: [byte], as: UTF8.self) + "'"
    }
}
