// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A user's password and what is asked of it. Times are Unix seconds.
struct LoginRecord: Codable, Sendable {
    var password: PasswordHash
    /// Earlier ones, newest first.
    var former: [PasswordHash] = []
    var changedAt: Int64
    var isResetRequired: Bool
    var isMultiFactorRequired: Bool
    let createdAt: Int64
}

/// What may be told of a login profile.
public struct LoginProfile: Sendable, Hashable {
    public let userName: String
    public let isResetRequired: Bool
    public let isMultiFactorRequired: Bool
    public let createdAt: Int64
}

/// A virtual device that shows one-time passwords. Its seed is sealed, bound to account and name.
struct MultiFactorDevice: DirectoryRecord {
    static let folder = "mfa-devices"
    /// Devices have no other id than their name.
    var id: String { DirectoryNames.folded(name) }
    let name: String
    let accountId: String
    var sealedSeed: Data
    var userId: String?
    var activatedAt: Int64?
    /// Step of the newest code that was taken: none is taken twice.
    var usedStep: Int64 = 0

    var serialNumber: String { "acs:ram::\(accountId):mfa/\(name)" }
    var context: Data { Data("mfa\n\(accountId)/\(id)".utf8) }
}

/// Failed attempts of users within the last hour; bounded by the number of users, for others are not counted.
struct SignInAttempts: Sendable {
    private var failures: [String: [Int64]] = [:]

    /// Counts an attempt before it is looked at, so that parallel ones are counted too.
    ///
    /// - Returns: false if there were too many.
    mutating func begin(_ user: String, atMost limit: Int, at now: Int64) -> Bool {
        let recent = (failures[user] ?? []).filter { now - $0 < 3600 }
        guard limit == 0 || recent.count < limit else {
            failures[user] = recent
            return false
        }
        failures[user] = limit == 0 ? nil : recent + [now]
        return true
    }

    mutating func succeed(_ user: String) { failures[user] = nil }
}
