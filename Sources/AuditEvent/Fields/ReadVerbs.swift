// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Judges from an operation's name whether it only reads, for events that do not say.
enum ReadVerbs {
    private static let verbs: [StaticString] = [
        "get", "list", "describe", "lookup", "head", "query", "check", "search", "batchget", "read", "select", "scan",
        "view", "count", "preview", "estimate", "watch", "download",
    ]

    /// Whether the name's first word is one that reads: `GetObject`, `list`, `describe_x`, but not `Checkout`.
    static func isRead(_ name: Text) -> Bool {
        for verb in verbs {
            let length = verb.utf8CodeUnitCount
            guard name.count >= length, hasPrefix(name, verb) else { continue }
            if name.count == length || !isLowerLetter(name[length]) { return true }
        }
        return false
    }

    private static func hasPrefix(_ name: Text, _ verb: StaticString) -> Bool {
        for index in 0..<verb.utf8CodeUnitCount where name[index] | 0x20 != verb.utf8Start[index] { return false }
        return true
    }

    private static func isLowerLetter(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
    }

    /// `Read` or `Write` in any case, or nil.
    static func isWrite(eventRW text: Text) -> Bool? {
        switch text.count {
        case 4 where hasPrefix(text, "read"): false
        case 5 where hasPrefix(text, "write"): true
        default: nil
        }
    }
}
