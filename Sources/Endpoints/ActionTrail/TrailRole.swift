// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Trails

/// The role that a trail's delivery works in: that which the caller names, else the service's own. Source: ram.md
/// section 5.1.
enum TrailRole {
    private static let service = ServiceLinkedRole.all[0]

    /// The role's ARN as trails show it.
    static func linkedARN(account: String) -> String { "acs:ram::\(account):role/\(service.roleNamePrefix.lowercased())" }

    /// Checks the roles that a call names, before anything is changed; without any, makes the linked role if need be.
    ///
    /// - Throws: a denial for a caller who may not pass the role, or not make the linked one; `NeedRamAuthorize` for a
    ///   role that is not there or does not trust the service.
    static func check(_ names: [String], in context: RPCContext) throws {
        let linked = linkedARN(account: context.accountId)
        let own = names.filter { !$0.isEmpty && $0.lowercased() != linked }
        for name in Set(own).sorted() { try checkNamed(name, in: context) }
        if own.isEmpty { try makeLinked(in: context) }
    }

    private static func checkNamed(_ arn: String, in context: RPCContext) throws {
        let prefix = "acs:ram::\(context.accountId):role/"
        guard arn.lowercased().hasPrefix(prefix), arn.utf8.count > prefix.utf8.count else {
            throw RPCError(403, "NeedRamAuthorize", "\(arn) is no role of the account \(context.accountId).")
        }
        let identities = context.services.identities
        let name = identities.canonicalName(of: .role(String(arn.dropFirst(prefix.count))), account: context.accountId)
        try context.authorize([
            AccessRequest(
                "ram:PassRole", on: "acs:ram:*:\(context.accountId):role/\(name)",
                conditions: ["acs:Service": [service.serviceName]])
        ])
        let caller = Caller.service(service.serviceName, accountId: context.accountId)
        guard let role = try? identities.role(name, account: context.accountId),
            let trust = try? PolicyDocument(parsing: role.trust, as: .trust),
            case .allowed = try context.services.authorizer.decideAssumeRole(
                caller, AccessRequest("sts:AssumeRole", on: role.arn), in: context.circumstances,
                trust: ResourcePolicy(trust, owner: role.accountId))
        else {
            throw RPCError(
                403, "NeedRamAuthorize",
                "\(service.serviceName) may not assume the role \(name): it does not exist, or its trust policy does not name the "
                    + "service.")
        }
    }

    private static func makeLinked(in context: RPCContext) throws {
        let identities = context.services.identities
        guard (try? identities.role(service.roleNamePrefix, account: context.accountId)) == nil else { return }
        try context.authorize([
            AccessRequest(
                "ram:CreateServiceLinkedRole", on: "*", conditions: ["ram:ServiceName": [service.serviceName]])
        ])
        do {
            _ = try identities.createServiceLinkedRole(
                service: service.serviceName, suffix: nil, description: nil, account: context.accountId)
        } catch DirectoryError.alreadyExists {
            // Another call made it in between.
        }
    }
}
