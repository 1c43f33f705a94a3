// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Finds the elements of a JSON array as runs of its bytes, so that each can be hashed as it is.
package enum JSONArraySplitter {
    /// - Returns: false if the bytes are not one array; elements visited before that may have been handed over.
    package static func split(_ bytes: UnsafeRawBufferPointer, _ visit: (UnsafeRawBufferPointer) -> Void) -> Bool {
        guard let first = bytes.first, let last = bytes.last, bytes.count >= 2, first == UInt8(ascii: "["),
            last == UInt8(ascii: "]")
        else { return false }
        var start = 1
        var depth = 0
        var isInText = false
        var index = 1
        let end = bytes.count - 1
        while index < end {
            let byte = bytes[index]
            if isInText {
                if byte == UInt8(ascii: "\\") { index += 1 } else if byte == UInt8(ascii: "\"") { isInText = false }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInText = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    if depth < 0 { return false }
                case UInt8(ascii: ",") where depth == 0:
                    visit(UnsafeRawBufferPointer(rebasing: bytes[start..<index]))
                    start = index + 1
                default: break
                }
            }
            index += 1
        }
        guard depth == 0, !isInText, index == end else { return false }
        if start < end { visit(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) }
        return true
    }
}
