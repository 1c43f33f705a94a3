// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What other services say in their answers, read with care.
package enum ForeignAnswer {
    /// A service's own words, short, on one line, and without anything that could be a signature or token it repeats.
    package static func plain(_ text: String) -> String {
        var words: [String] = []
        for word in text.prefix(300).split(whereSeparator: { $0.isWhitespace }) {
            var longest = 0
            var run = 0
            for byte in word.utf8 {
                let isCoded =
                    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || [0x2B, 0x2D, 0x2F, 0x3D, 0x5F, 0x25].contains(byte)
                run = isCoded ? run + 1 : 0
                longest = max(longest, run)
            }
            words.append(longest >= 28 ? "…" : String(word.filter { $0.isASCII ? !$0.isNewline && $0 >= " " : true }))
        }
        return words.joined(separator: " ")
    }

    /// Seconds that a service asks to wait, a day at most.
    ///
    /// - Parameters:
    ///   - text: of the header `Retry-After`.
    ///   - date: of the header `Date`.
    package static func retryAfter(_ text: String?, date: WireTime?) -> Int? {
        guard let text else { return nil }
        if let seconds = Int(text), seconds >= 0 { return min(seconds, 86_400) }
        guard let until = WireTime(httpDate: text), let date else { return nil }
        return Int(min(max(until.secondsSince1970 - date.secondsSince1970, 0), 86_400))
    }
}
