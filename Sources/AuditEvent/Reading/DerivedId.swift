// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Makes an event's id from what was received, so that a retry is recognised.
enum DerivedId {
    /// The digest's first half as an upper-case UUID of version 8 (RFC 9562 section 5.8).
    static func text(_ digest: EventDigest, _ scratch: inout ScratchPad) -> Text {
        let target = scratch.allocate(36)
        digest.withUnsafeBytes { bytes in
            var at = 0
            for index in 0..<16 {
                if index == 4 || index == 6 || index == 8 || index == 10 {
                    target[at] = UInt8(ascii: "-")
                    at += 1
                }
                let byte =
                    switch index {
                    case 6: bytes[6] & 0x0F | 0x80
                    case 8: bytes[8] & 0x3F | 0x80
                    default: bytes[index]
                    }
                target[at] = digit(byte >> 4)
                target[at + 1] = digit(byte & 15)
                at += 2
            }
        }
        return Text(start: target, count: 36)
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? value + 48 : value + 55 }
}
