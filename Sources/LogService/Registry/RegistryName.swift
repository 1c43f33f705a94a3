// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Which names are allowed; source: sls.md section 1.
///
/// None holds a slash, so that names make unambiguous paths in the metadata.
enum RegistryName {
    static func isProject(_ name: String) -> Bool {
        fits(name, 3...63) { isLowercaseOrDigit($0) || $0 == UInt8(ascii: "-") }
    }

    static func isLogstore(_ name: String) -> Bool {
        fits(name, 2...63) { isLowercaseOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    /// Of a consumer group, a dashboard or a saved search. Their rules are not published in full; this is wider than what
    /// the console makes.
    static func isObject(_ name: String) -> Bool {
        let bytes = name.utf8
        return (1...256).contains(bytes.count) && bytes.first.map(isLetterOrDigit) == true
            && bytes.allSatisfy { isLetterOrDigit($0) || "-_.".utf8.contains($0) }
    }

    static func isConsumer(_ name: String) -> Bool {
        (1...256).contains(name.utf8.count) && name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }

    /// A refused name as a message shows it.
    static func quoted(_ name: String) -> String { "\"\(name.prefix(64))\"" }

    private static func fits(_ name: String, _ length: ClosedRange<Int>, _ isAllowed: (UInt8) -> Bool) -> Bool {
        let bytes = name.utf8
        guard length.contains(bytes.count), let first = bytes.first, let last = bytes.last else { return false }
        return isLowercaseOrDigit(first) && isLowercaseOrDigit(last) && bytes.allSatisfy(isAllowed)
    }

    private static func isLowercaseOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        isLowercaseOrDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}
