// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Text of the wire compared and cut as bytes.
///
/// `String` compares by Unicode equivalence and cuts by grapheme: U+212A equals `K`, and a `&` followed by a combining
/// mark is not `&`. Neither may happen to something that is signed.
enum Ascii {
    static let ampersand = UInt8(ascii: "&")
    static let colon = UInt8(ascii: ":")
    static let comma = UInt8(ascii: ",")
    static let equals = UInt8(ascii: "=")
    static let percent = UInt8(ascii: "%")
    static let plus = UInt8(ascii: "+")
    static let questionMark = UInt8(ascii: "?")
    static let semicolon = UInt8(ascii: ";")
    static let slash = UInt8(ascii: "/")
    static let space = UInt8(ascii: " ")
    static let tab = UInt8(ascii: "\t")

    static func lower(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}

extension String {
    func hasSameBytes(as other: String) -> Bool {
        utf8.elementsEqual(other.utf8)
    }

    func equalsIgnoringAsciiCase(_ other: String) -> Bool {
        utf8.elementsEqual(other.utf8) { Ascii.lower($0) == Ascii.lower($1) }
    }

    func startsIgnoringAsciiCase(with prefix: String) -> Bool {
        utf8.starts(with: prefix.utf8) { Ascii.lower($0) == Ascii.lower($1) }
    }

    func asciiLowercased() -> String {
        String(decoding: utf8.map(Ascii.lower), as: UTF8.self)
    }

    /// Without the spaces and tabs at either end.
    func trimmingBlanks() -> String {
        let isBlank = { (byte: UInt8) in byte == Ascii.space || byte == Ascii.tab }
        guard let first = utf8.firstIndex(where: { !isBlank($0) }),
            let last = utf8.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(self[first...last])
    }

    /// What stands before and after the first such byte; nothing after it if there is none.
    package func splitAtFirst(_ byte: UInt8) -> (head: String, tail: String?) {
        guard let place = utf8.firstIndex(of: byte) else { return (String(self), nil) }
        return (String(self[..<place]), String(self[utf8.index(after: place)...]))
    }

    func split(at byte: UInt8) -> [String] {
        utf8.split(separator: byte, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    var nonEmpty: String? { isEmpty ? nil : self }

    /// Whether the text is short and printable enough to be looked up and written into a record.
    var isPlausibleId: Bool {
        !utf8.isEmpty && utf8.count <= 128 && utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}
