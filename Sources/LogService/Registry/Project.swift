// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What an account keeps logs under: a name in host names, and logstores in it.
public struct Project: Codable, Sendable, Equatable {
    /// Unique over all accounts, since it is part of the host name.
    public var name: String
    public var account: String
    public var description: String
    public var region: String
    /// Seconds since 1970.
    public var createdAt: Int64
    public var modifiedAt: Int64
    public var resourceGroupId: String?
    public var dataRedundancyType: String?
    public var recycleBinEnabled: Bool?

    public init(
        name: String, account: String, description: String = "", region: String, createdAt: Int64,
        resourceGroupId: String? = nil, dataRedundancyType: String? = nil, recycleBinEnabled: Bool? = nil
    ) {
        self.name = name
        self.account = account
        self.description = description
        self.region = region
        self.createdAt = createdAt
        modifiedAt = createdAt
        self.resourceGroupId = resourceGroupId
        self.dataRedundancyType = dataRedundancyType
        self.recycleBinEnabled = recycleBinEnabled
    }

    /// Bytes of UTF-8.
    static let longestDescription = 1024

    func check() throws(LogServiceError) {
        guard RegistryName.isProject(name) else { throw .parameter("project name \(RegistryName.quoted(name)) is invalid") }
        guard description.utf8.count <= Self.longestDescription else {
            throw .parameter("description is longer than \(Self.longestDescription) bytes")
        }
    }
}
