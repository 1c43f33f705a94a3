// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// How a caller names a key; source: kms.md section 3.1.
public enum KeyName: Sendable, Equatable {
    case id(String)
    case arn(region: String, account: String, id: String)
    /// Without its prefix `alias/`.
    case alias(String)
    case aliasARN(region: String, account: String, alias: String)

    /// - Throws: ``KeyError/invalid(_:_:)`` for what has none of the forms.
    public init(parsing text: String, as parameter: String = "KeyId") throws(KeyError) {
        if text.hasPrefix("acs:") {
            let parts = text.split(separator: ":", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 5, parts[1] == "kms", let slash = parts[4].firstIndex(of: "/") else {
                throw .invalid(parameter, "it is not the ARN of a key or an alias")
            }
            let rest = String(parts[4][parts[4].index(after: slash)...])
            switch parts[4][..<slash] {
            case "key" where !rest.isEmpty: self = .arn(region: parts[2], account: parts[3], id: rest)
            case "alias" where !rest.isEmpty: self = .aliasARN(region: parts[2], account: parts[3], alias: rest)
            default: throw .invalid(parameter, "it is not the ARN of a key or an alias")
            }
        } else if text.hasPrefix("alias/") {
            self = .alias(String(text.dropFirst(6)))
        } else {
            guard !text.isEmpty, text.utf8.count <= 256 else { throw .invalid(parameter, "it is not the id of a key") }
            self = .id(text)
        }
    }

    public var isAlias: Bool {
        switch self {
        case .id, .arn: false
        case .alias, .aliasARN: true
        }
    }
}

/// A second name of a key, one of an account and region.
public struct KeyAlias: Sendable, Equatable {
    /// `alias/NAME`.
    public let name: String
    public let arn: String
    public let keyId: String
}

/// An account's part of a region: keys and aliases of two are unrelated.
public struct KeyScope: Sendable, Hashable {
    public let account: String
    public let region: String

    public init(account: String, region: String) {
        self.account = account
        self.region = region
    }
}
