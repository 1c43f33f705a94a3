// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The names and values that a caller binds to a ciphertext: not secret, not stored, needed again to open it.
///
/// Source: kms.md section 4.2. Two texts with the same pairs in any order are one context; none and `{}` too.
public struct EncryptionContext: Sendable, Equatable {
    static let limit = 8192

    /// Compact JSON, names sorted by their UTF-8 bytes; empty if there are no pairs.
    public let canonical: [UInt8]

    public static let none = EncryptionContext(pairs: [:])

    /// - Parameter text: a JSON object whose values are strings; nil or empty for none.
    /// - Throws: ``KeyError/invalid(_:_:)``.
    public init(parsing text: String?, as parameter: String = "EncryptionContext") throws(KeyError) {
        guard let text, !text.isEmpty else {
            self = .none
            return
        }
        guard text.count <= Self.limit else {
            throw .invalid(parameter, "it is longer than \(Self.limit) characters")
        }
        guard let pairs = try? JSONDecoder().decode([String: String].self, from: Data(text.utf8)) else {
            throw .invalid(parameter, "it is not a JSON object of strings")
        }
        self.init(pairs: pairs)
    }

    public init(pairs: [String: String]) {
        guard !pairs.isEmpty else {
            canonical = []
            return
        }
        var bytes: [UInt8] = []
        for (name, value) in pairs.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            bytes.append(bytes.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            Self.append(name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            Self.append(value, to: &bytes)
        }
        canonical = bytes + [UInt8(ascii: "}")]
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
