// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A record with a name that is unique in its account, whatever its case, and an id that never changes.
protocol DirectoryRecord: Codable, Sendable {
    /// The folder of the metadata that holds records of this type.
    static var folder: String { get }
    var id: String { get }
    var name: String { get }
}

/// A policy that hangs on a user, a group or a role. Times are Unix seconds, here and below.
public struct PolicyAttachment: Codable, Sendable, Hashable {
    public var type: NamedPolicy.PolicyType
    public var name: String
    public var attachedAt: Int64
}

public struct UserRecord: DirectoryRecord {
    static let folder = "users"
    public let id: String
    public internal(set) var name: String
    public internal(set) var details: UserDetails
    public let createdAt: Int64
    public internal(set) var updatedAt: Int64
    /// Groups by id, with the time at which the user joined.
    var groups: [String: Int64] = [:]
    public internal(set) var attachments: [PolicyAttachment] = []
    /// Nil for a user who cannot sign in to the console.
    var login: LoginRecord?
    public internal(set) var lastLoginAt: Int64?
}

/// What a user is described with; each at most 128 characters.
public struct UserDetails: Codable, Sendable, Hashable {
    public var displayName: String
    public var comments: String
    public var email: String
    public var mobilePhone: String

    public init(displayName: String = "", comments: String = "", email: String = "", mobilePhone: String = "") {
        self.displayName = displayName
        self.comments = comments
        self.email = email
        self.mobilePhone = mobilePhone
    }
}

public struct GroupRecord: DirectoryRecord {
    static let folder = "groups"
    public let id: String
    public internal(set) var name: String
    public internal(set) var comments: String
    public let createdAt: Int64
    public internal(set) var updatedAt: Int64
    public internal(set) var attachments: [PolicyAttachment] = []
}

public struct RoleRecord: DirectoryRecord {
    static let folder = "roles"
    public let id: String
    public let name: String
    public let accountId: String
    public internal(set) var description: String
    /// The trust policy's text.
    public internal(set) var trust: String
    public internal(set) var maximumSessionSeconds: Int
    public let createdAt: Int64
    public internal(set) var updatedAt: Int64
    /// The service that the role is linked to; nil for a role of the account's own making.
    public let serviceName: String?
    public internal(set) var attachments: [PolicyAttachment] = []
    public internal(set) var tags: [String: String] = [:]

    public var arn: String { "acs:ram::\(accountId):role/\(name)" }
}

/// A custom policy with its versions, oldest first.
public struct PolicyRecord: DirectoryRecord {
    public struct Version: Codable, Sendable {
        public let number: Int
        public let text: String
        public let createdAt: Int64
        public var id: String { "v\(number)" }
    }

    static let folder = "policies"
    /// Policies have no other id than their name.
    public var id: String { DirectoryNames.folded(name) }
    public let name: String
    public internal(set) var description: String
    public internal(set) var versions: [Version]
    public internal(set) var defaultNumber: Int
    /// Of the newest version ever made: numbers are not used again.
    var lastNumber: Int
    public let createdAt: Int64
    public internal(set) var updatedAt: Int64
    public internal(set) var tags: [String: String] = [:]

    public var defaultVersionId: String { "v\(defaultNumber)" }
    var defaultVersion: Version? { versions.first { $0.number == defaultNumber } }
}

public struct AccessKeyRecord: Sendable {
    public let id: String
    public let isActive: Bool
    public let createdAt: Int64
}
