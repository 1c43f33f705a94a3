// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A policy that comes with the service and cannot be changed.
public struct SystemPolicy: Sendable {
    public let name: String
    public let description: String
    /// Of the version in force: `v1`, …
    public let versionId: String
    public let createdAt: WireTime
    public let updatedAt: WireTime
    public let document: PolicyDocument

    public var named: NamedPolicy { NamedPolicy(name: name, type: .system, document: document) }

    /// - Parameter updatedAt: as in `2020-08-05`; nil where no date is known, and that of the RAM API stands in.
    init(
        _ name: String, _ description: String, versionId: String = "v1", updatedAt: String? = nil,
        _ statements: [PolicyText.Statement]
    ) {
        let text = PolicyText.document(statements)
        do {
            document = try PolicyDocument(parsing: text, as: .identity)
        } catch {
            preconditionFailure("system policy \(name) is malformed: \(error)")
        }
        self.name = name
        self.description = description
        self.versionId = versionId
        createdAt = Self.dateOfAPI
        self.updatedAt = updatedAt.flatMap { WireTime(iso8601: $0 + "T00:00:00Z") } ?? Self.dateOfAPI
    }

    private static let dateOfAPI = WireTime(secondsSince1970: 1_430_438_400)
}
