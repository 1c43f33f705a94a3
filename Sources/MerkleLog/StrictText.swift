// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension UInt64 {
    /// Reads ASCII digits without sign or leading zeros; `nil` for anything else and for numbers above 64 bits.
    init?(strictDecimal text: some Collection<UInt8>) {
        guard let first = text.first, text.count == 1 || (text.count <= 20 && first != UInt8(ascii: "0")) else {
            return nil
        }
        var value: UInt64 = 0
        for digit in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = shifted.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        self = value
    }
}

extension String {
    /// Equality of the bytes. Swift's `==` also equates different spellings of one accented letter, and a
    /// signature does not.
    func hasSameBytes(as other: String) -> Bool {
        utf8.elementsEqual(other.utf8)
    }

    /// A line of a note: not empty, no control character (those below U+0020, so no newline either).
    var isNoteLine: Bool {
        !isEmpty && utf8.allSatisfy { $0 >= 0x20 }
    }

    /// A key's name: a line without Unicode spaces and without `+`.
    ///
    /// - Source: C2SP signed-note v1.0.0, "Format".
    var isKeyName: Bool {
        isNoteLine && unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0 != "+" }
    }
}
