// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// What a caller must be allowed before an operation runs.
enum RPCPermission: Sendable {
    /// The action of the operation's own name, on the trail that is named or on everything of the product.
    case standard
    /// Whoever is known may call it.
    case anyCaller
    /// The operation asks ``RPCContext/authorize(_:resourcePolicy:)`` itself, once it knows what it is about.
    case inside
    /// Every one of the requests that the call's parameters lead to.
    ///
    /// `ifUndecided` says whether the call is allowed as well when no policy says anything; with none it is not.
    case requests(
        @Sendable (RPCContext) throws -> [AccessRequest], ifUndecided: (@Sendable (RPCContext) -> Bool)? = nil)
}

extension RPCContext {
    /// - Throws: `AccessDenial`, which the gateway answers and records, unless every request is allowed.
    func authorize(
        _ requests: [AccessRequest], resourcePolicy: ResourcePolicy? = nil, ifUndecided allows: () -> Bool = { false }
    ) throws {
        switch try services.authorizer.decide(caller, requests, in: circumstances, resourcePolicy: resourcePolicy) {
        case .allowed: return
        case .undecided where allows(): return
        case .denied(let denial), .undecided(let denial): throw denial
        }
    }

    /// `actiontrail:<action>` on a trail, on all of them if there is none.
    func trailRequest(_ action: String, _ name: String?) -> AccessRequest {
        AccessRequest(
            "actiontrail:" + action,
            on: "acs:actiontrail:\(services.region):\(accountId):" + (name.map { "trail/" + $0 } ?? "*"))
    }

    /// Asks for what `permission` says of an operation.
    func authorize(_ operation: RPCOperation) throws {
        switch operation.permission {
        case .anyCaller, .inside: return
        case .requests(let requests, let ifUndecided):
            try authorize(try requests(self)) { ifUndecided?(self) ?? false }
        case .standard:
            let name = operation.resourceType == "ACS::ActionTrail::Trail" ? filled(operation.namedBy) : nil
            try authorize([trailRequest(operation.name, name)])
        }
    }
}

extension JSONFields {
    /// `AccessDeniedDetail`; source: ram.md section 3.
    init(_ denial: AccessDenial) {
        self.init()
        add(denial.action, "AuthAction")
        add(denial.resource, "AuthResource")
        add(denial.principalType, "AuthPrincipalType")
        add(denial.principalName, "AuthPrincipalDisplayName")
        add(denial.principalAccount, "AuthPrincipalOwnerId")
        add(denial.kind.rawValue, "NoPermissionType")
        add(denial.policyType, "PolicyType")
        if !denial.matched.isEmpty { add(denial.matched.joined(separator: "; "), "MatchedStatements") }
        add(denial.encodedDiagnosticMessage, "EncodedDiagnosticMessage")
    }
}
