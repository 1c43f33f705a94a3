// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What the policies say about a request.
public enum AccessVerdict: Sendable {
    case allowed
    /// A statement denies it, or a session policy leaves it out: nothing can allow it any more.
    case denied(AccessDenial)
    /// No statement speaks of it; where an operation has nothing else to go by (an ACL), it is refused with this.
    case undecided(AccessDenial)
}

/// Decides what a caller may do. Source: ram.md section 4.1; where that leaves room, `docs/decisions/0010`.
///
/// | caller | allowed |
/// |---|---|
/// | root | everything of its account, without a look at any policy but a bucket's Deny |
/// | user, role session | what its own policies or the resource's policy allow and neither denies; a session policy narrows that |
/// | either, resource of another account | what both sides allow |
/// | service | what the system policy of its service-linked role grants |
/// | ingest token | `actiontrail:PutEvents` in its account |
/// | anonymous | what a bucket policy grants to `*` |
public struct Authorizer: Sendable {
    private let policies: any IdentityPolicies
    /// What stands behind the `EncodedDiagnosticMessage` of the denials made here.
    public let diagnostics: DiagnosticMessages

    public init(policies: any IdentityPolicies, diagnostics: DiagnosticMessages = DiagnosticMessages()) {
        self.policies = policies
        self.diagnostics = diagnostics
    }

    /// - Parameters:
    ///   - requests: one at least; without any the verdict is undecided.
    ///   - resourcePolicy: the policy of the resource that all of them are about. For a role's trust policy see
    ///     ``decideAssumeRole(_:_:in:trust:)``.
    /// - Returns: the verdict on all of them together: denied if one is denied, undecided if one is undecided.
    /// - Throws: if the caller's policies cannot be read at present.
    public func decide(
        _ caller: Caller, _ requests: [AccessRequest], in circumstances: RequestCircumstances,
        resourcePolicy: ResourcePolicy? = nil
    ) throws -> AccessVerdict {
        let evaluation = AccessEvaluation(
            caller: caller, own: try ownSide(of: caller), resourcePolicy: resourcePolicy, needsBothSides: false)
        guard !requests.isEmpty else {
            let question = Question(AccessRequest("", on: ""), by: caller, in: circumstances)
            return .undecided(denial(.implicit(.identity), question))
        }
        var undecided: AccessDenial?
        for request in requests {
            let question = Question(request, by: caller, in: circumstances)
            switch evaluation.ruling(on: question) {
            case .allowed: continue
            case .denied(let reason): return .denied(denial(reason, question))
            case .undecided(let reason): undecided = undecided ?? denial(reason, question)
            }
        }
        return undecided.map(AccessVerdict.undecided) ?? .allowed
    }

    /// Whether a caller may take on a role: its own policies must allow `sts:AssumeRole` on the role, and the role's
    /// trust policy must name the caller. Root may not (ram.md section 3); a service needs the trust alone.
    ///
    /// - Parameter request: `sts:AssumeRole` on the role's ARN, with the conditions of the call (`sts:ExternalId`).
    public func decideAssumeRole(
        _ caller: Caller, _ request: AccessRequest, in circumstances: RequestCircumstances, trust: ResourcePolicy
    ) throws -> AccessVerdict {
        let question = Question(request, by: caller, in: circumstances)
        guard caller.kind != .rootAccount else { return .denied(denial(.implicit(.identity), question)) }
        let own = caller.kind == .service ? .everything : try ownSide(of: caller)
        let evaluation = AccessEvaluation(caller: caller, own: own, resourcePolicy: trust, needsBothSides: true)
        return switch evaluation.ruling(on: question) {
        case .allowed: .allowed
        case .denied(let reason): .denied(denial(reason, question))
        case .undecided(let reason): .undecided(denial(reason, question))
        }
    }

    private func ownSide(of caller: Caller) throws -> AccessEvaluation.OwnSide {
        switch caller.kind {
        case .rootAccount: .everything
        case .ramUser, .assumedRole: .policies(try policies.policies(of: caller))
        case .service:
            .policies(CallerPolicies(identity: SystemPolicies.ofServiceLinkedRole(caller.principalId).map { [$0.named] } ?? []))
        case .ingestToken: .eventsOnly
        case .anonymous: .nothing
        }
    }

    private func denial(_ reason: AccessEvaluation.Reason, _ question: Question) -> AccessDenial {
        let caller = question.context.caller
        var denial = AccessDenial(
            reason.kind, action: question.context.request.action, resource: question.context.request.resource,
            principalType: caller.authPrincipalType, principalName: caller.authPrincipalName,
            principalAccount: caller.accountId, policyType: reason.policyType.rawValue, matched: reason.matched,
            encodedDiagnosticMessage: "")
        denial.encodedDiagnosticMessage = diagnostics.remember(denial, in: question.context)
        return denial
    }
}

extension Caller {
    /// `AuthPrincipalType`; the vendor's words for all but users and role sessions are not known.
    fileprivate var authPrincipalType: String {
        switch kind {
        case .rootAccount: "Account"
        case .ramUser: "SubUser"
        case .assumedRole: "AssumedRoleUser"
        case .ingestToken: "IngestToken"
        case .service: "Service"
        case .anonymous: "Anonymous"
        }
    }

    /// `AuthPrincipalDisplayName`: the id, of a role session `RoleName:Session`.
    fileprivate var authPrincipalName: String {
        kind == .assumedRole ? userName : principalId
    }
}
