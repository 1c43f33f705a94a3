// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The characters that mean something in a search.
enum SearchText {
    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    /// What ends a word that is not quoted.
    static func endsWord(_ byte: UInt8) -> Bool { isBlank(byte) || "():=<>|\"".utf8.contains(byte) }

    /// Whether a backslash begins `\"` or `\\`. Any other stands for itself, so that `CORP\alice` can be written as it is; that
    /// the second stands for one backslash is our reading, the vendor describes only the first.
    static func isEscape(_ bytes: [UInt8], at place: Int) -> Bool {
        place + 1 < bytes.count && bytes[place] == UInt8(ascii: "\\")
            && (bytes[place + 1] == UInt8(ascii: "\"") || bytes[place + 1] == UInt8(ascii: "\\"))
    }
}
