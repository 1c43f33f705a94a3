// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The keys and values of a JSON text, in arrays too, for looking through it as a whole.
enum JSONPieces {
    /// Visits each string, without quotes and escapes, and each run of other characters between blanks and the signs of JSON,
    /// until told that no more are needed. Any text can be taken apart so, JSON or not; of a string that is not closed the
    /// rest of the text is one piece.
    @inline(__always)
    static func forEachPiece(
        in text: UnsafeRawBufferPointer, scratch: ScratchBytes, _ visit: (UnsafeRawBufferPointer) -> Bool
    ) {
        var place = 0
        while place < text.count {
            var end = place
            if text[place] == JSONBytes.quote {
                var isEscaped = false
                place += 1
                end = JSONBytes.endOfString(in: text, from: place, isEscaped: &isEscaped) ?? text.count
                let piece = JSONLeaf(
                    kind: .text, raw: UnsafeRawBufferPointer(rebasing: text[place..<end]), isEscaped: isEscaped)
                if end > place, !piece.withText(scratch: scratch, visit) { return }
            } else if !isSign(text[place]) {
                while end < text.count, !isSign(text[end]), text[end] != JSONBytes.quote { end += 1 }
                if !visit(UnsafeRawBufferPointer(rebasing: text[place..<end])) { return }
                place = end
                continue
            }
            place = end + 1
        }
    }

    @inline(__always)
    private static func isSign(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ","), UInt8(ascii: ":"):
            true
        default: JSONBytes.isBlank(byte)
        }
    }
}
