// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the parts of a key may look like; source: kms.md sections 4 and 8.
enum KeyRules {
    static let descriptionLimit = 8192
    static let policyLimit = 32_768
    static let tagLimit = 20
    static let day: Int64 = 86_400

    static func check(description: String) throws(KeyError) {
        guard description.count <= descriptionLimit else {
            throw .invalid("Description", "it is longer than \(descriptionLimit) characters")
        }
    }

    static func checked(id: String) throws(KeyError) -> String {
        guard UUID(uuidString: id)?.uuidString.lowercased() == id else {
            throw .invalid("KeyId", "it is no UUID in lower case")
        }
        return id
    }

    static func check(policy: String) throws(KeyError) {
        guard policy.utf8.count <= policyLimit else { throw .invalid("Policy", "it is longer than \(policyLimit) bytes") }
    }

    /// - Parameter tags: all that the key would have.
    static func check(tags: [String: String]) throws(KeyError) {
        guard tags.count <= tagLimit else { throw .limitExceeded("tags on a key", limit: tagLimit) }
        for (key, value) in tags {
            guard !key.isEmpty, isTagText(key), isTagText(value) else {
                throw .invalid("Tags", "a key or value is not 1 to 128 letters, digits or / \\ _ - . + = : @")
            }
            guard !key.hasPrefix("aliyun"), !key.hasPrefix("acs:") else {
                throw .invalid("Tags", "a key begins with aliyun or acs:, which are reserved")
            }
        }
    }

    private static func isTagText(_ text: String) -> Bool {
        text.count <= 128
            && text.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || $0.properties.numericType != nil || "/\\_-.+=:@ ".unicodeScalars.contains($0)
            }
    }

    /// - Returns: the name without its prefix `alias/`.
    static func alias(_ name: String) throws(KeyError) -> String {
        let rest = name.dropFirst(6)
        guard name.hasPrefix("alias/"), 1...255 ~= rest.utf8.count,
            rest.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: "-"):
                    true
                default: false
                }
            })
        else { throw .invalid("AliasName", "it is not alias/ and 1 to 255 letters, digits, _ / or -") }
        guard !isReserved(alias: name) else { throw reservedAlias }
        return String(rest)
    }

    static let reservedAlias = KeyError.invalid("AliasName", "alias/acs is reserved")

    static func isReserved(alias name: String) -> Bool { name.hasPrefix("alias/acs") }

    /// Seconds of `365d`, `24h`, `60m` or `60s`, from 7 to 730 days.
    static func rotationInterval(_ text: String) throws(KeyError) -> Int64 {
        let units: [Character: Int64] = ["d": day, "h": 3600, "m": 60, "s": 1]
        guard let last = text.last, let unit = units[last], let count = Int64(text.dropLast()), count > 0,
            case let (seconds, isOver) = count.multipliedReportingOverflow(by: unit), !isOver,
            7 * day...730 * day ~= seconds
        else { throw .invalid("RotationInterval", "it is not a number of d, h, m or s from 7 to 730 days") }
        return seconds
    }

    /// The source of a decision in kms.md section 4.4.
    static func checkRotatable(_ record: KeyRecord) throws(KeyError) {
        guard record.spec.isSymmetric, record.origin == .service else {
            throw .notSupported("only symmetric keys with material of the service rotate by themselves")
        }
    }
}
