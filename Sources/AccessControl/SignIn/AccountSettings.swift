// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What passwords of an account must look like and how long they live. Source: ram.md section 2.2.
public struct PasswordPolicy: Codable, Sendable, Hashable {
    public static let lengths = 8...32
    public static let longestPassword = 128

    public var minimumLength = 8
    public var requiresLowercase = true
    public var requiresUppercase = true
    public var requiresNumbers = true
    public var requiresSymbols = true
    /// Whether an expired password can only be set anew by an administrator.
    public var hardExpiry = false
    /// Days; 0 for passwords that never expire.
    public var maximumAgeDays = 90
    /// How many old passwords may not be used again.
    public var reusePrevention = 5
    /// Wrong attempts an hour; 0 for as many as one likes.
    public var maximumAttempts = 5

    public init() {}

    func check(_ password: Secret) throws(DirectoryError) {
        let scalars = Array(password.reveal().unicodeScalars)
        let isMissing: [(Bool, (Unicode.Scalar) -> Bool, String)] = [
            (requiresLowercase, { $0.properties.isLowercase }, "a lower-case letter"),
            (requiresUppercase, { $0.properties.isUppercase }, "an upper-case letter"),
            (requiresNumbers, { ("0"..."9").contains($0) }, "a digit"),
            (requiresSymbols, { !$0.properties.isAlphabetic && !("0"..."9").contains($0) }, "a symbol"),
        ]
        var missing = isMissing.filter { required, test, _ in required && !scalars.contains(where: test) }.map(\.2)
        if scalars.count < minimumLength { missing.insert("at least \(minimumLength) characters", at: 0) }
        guard missing.isEmpty else { throw .weakPassword(reason: "it needs " + missing.joined(separator: ", ")) }
        guard scalars.count <= Self.longestPassword else {
            throw .weakPassword(reason: "it is longer than \(Self.longestPassword) characters")
        }
    }
}

/// What users may do for themselves, and where they may sign in from.
public struct SecurityPreference: Codable, Sendable, Hashable {
    public static let sessionHours = 1...24

    public var savesMultiFactorTicket = false
    public var usersChangePassword = true
    public var usersManageAccessKeys = false
    public var usersManageDevices = true
    public var loginSessionHours = 6
    /// Addresses and CIDRs separated by `;`, from which users sign in; empty for any. Not for access keys.
    public var loginNetworkMasks = ""

    public init() {}

    func admits(_ address: String) -> Bool {
        let masks = loginNetworkMasks.split(separator: ";")
        guard !masks.isEmpty else { return true }
        guard let address = IPAddress(address) else { return false }
        return masks.contains { IPNetwork(String($0))?.contains(address) == true }
    }

    func check() throws(DirectoryError) {
        guard Self.sessionHours.contains(loginSessionHours) else { throw .invalid(field: "LoginSessionDuration", .range) }
        let masks = loginNetworkMasks.split(separator: ";", omittingEmptySubsequences: false)
        guard masks.count <= 40 else { throw .invalid(field: "LoginNetworkMasks", .length) }
        guard loginNetworkMasks.isEmpty || masks.allSatisfy({ IPNetwork(String($0)) != nil }) else {
            throw .invalid(field: "LoginNetworkMasks", .format)
        }
    }
}

/// What holds for an account as a whole.
public struct AccountSettings: Codable, Sendable, Hashable {
    static let folder = "settings"
    public internal(set) var alias: String?
    public internal(set) var passwordPolicy = PasswordPolicy()
    public internal(set) var preference = SecurityPreference()
}
