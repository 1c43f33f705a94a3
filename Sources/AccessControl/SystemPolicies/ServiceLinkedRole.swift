// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A role whose trust and policy a service fixes itself. Source: ram.md sections 2.5 and 6.
public struct ServiceLinkedRole: Sendable {
    public let serviceName: String
    /// The role's name; with a suffix where a service may have several.
    public let roleNamePrefix: String
    /// Of a system policy.
    public let policyName: String
    public let description: String
    public let trust: PolicyDocument

    public static let all = [
        ServiceLinkedRole(
            serviceName: "actiontrail.aliyuncs.com", roleNamePrefix: "AliyunServiceRoleForActionTrail",
            policyName: "AliyunServiceRolePolicyForActionTrail",
            description: "ActionTrail delivers events with this role.")
    ]

    public static func ofService(_ name: String) -> ServiceLinkedRole? { all.first { $0.serviceName == name } }

    private init(serviceName: String, roleNamePrefix: String, policyName: String, description: String) {
        self.serviceName = serviceName
        self.roleNamePrefix = roleNamePrefix
        self.policyName = policyName
        self.description = description
        let text = PolicyText.document([.init(actions: ["sts:AssumeRole"], resources: nil, services: [serviceName])])
        do {
            trust = try PolicyDocument(parsing: text, as: .trust)
        } catch {
            preconditionFailure("the trust of \(roleNamePrefix) is malformed: \(error)")
        }
    }
}
