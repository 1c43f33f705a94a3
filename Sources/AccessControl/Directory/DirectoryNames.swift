// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What names and texts may look like. Source: ram.md sections 1 and 2.
enum DirectoryNames {
    /// - Parameters:
    ///   - marks: characters other than letters and digits.
    ///   - field: the parameter's name, for the error.
    static func check(
        _ name: String, marks: String, lengths: ClosedRange<Int>, field: String
    ) throws(DirectoryError) {
        guard lengths.contains(name.utf8.count) else { throw .invalid(field: field, .length) }
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: marks.utf8.contains(byte)
            }
        }
        guard allowed else { throw .invalid(field: field, .characters) }
    }

    static func checkUser(_ name: String, field: String = "UserName") throws(DirectoryError) {
        try check(name, marks: "._-", lengths: 1...64, field: field)
    }

    static func checkGroup(_ name: String, field: String = "GroupName") throws(DirectoryError) {
        try check(name, marks: "._-", lengths: 1...64, field: field)
    }

    static func checkRole(_ name: String) throws(DirectoryError) {
        try check(name, marks: ".-", lengths: 1...64, field: "RoleName")
    }

    static func checkDevice(_ name: String) throws(DirectoryError) {
        try check(name, marks: ".-", lengths: 1...64, field: "VirtualMFADeviceName")
    }

    static func checkPolicy(_ name: String) throws(DirectoryError) {
        try check(name, marks: "-", lengths: 1...128, field: "PolicyName")
    }

    static func checkText(_ text: String, atMost length: Int, field: String) throws(DirectoryError) {
        guard text.unicodeScalars.count <= length else { throw .invalid(field: field, .length) }
    }

    /// What two names have in common that differ in case only.
    static func folded(_ name: String) -> String {
        String(decoding: name.utf8.map(Ascii.lower), as: UTF8.self)
    }
}

/// Texts that nobody can guess.
package enum RandomText {
    package static let lettersAndDigits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    static let digits = Array("0123456789".utf8)
    static let lowercase = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)

    package static func make(_ count: Int, of alphabet: [UInt8] = lettersAndDigits) -> String {
        String(decoding: (0..<count).map { _ in alphabet[Int.random(in: alphabet.indices)] }, as: UTF8.self)
    }
}
