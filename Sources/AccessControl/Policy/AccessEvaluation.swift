// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One caller before one resource: both sides of the question, and how they are put together.
struct AccessEvaluation {
    /// What the caller brings.
    enum OwnSide {
        case policies(CallerPolicies)
        /// Root in its own account.
        case everything
        /// An ingest token.
        case eventsOnly
        case nothing
    }

    enum PolicyType: String {
        case identity = "AccountLevelIdentityBasedPolicy"
        case session = "SessionPolicy"
        case resource = "ResourceBasedPolicy"
        case trust = "AssumeRolePolicy"
    }

    struct Reason {
        var kind: AccessDenial.Kind
        var policyType: PolicyType
        var matched: [String] = []

        static func implicit(_ type: PolicyType) -> Reason { Reason(kind: .implicitDeny, policyType: type) }
    }

    enum Ruling {
        case allowed
        case denied(Reason)
        case undecided(Reason)
    }

    private enum Finding {
        case denied(matched: [String])
        case allowed
        /// To the caller's account, which decides for itself whom it lets.
        case allowedThroughAccount
        case silent
    }

    let caller: Caller
    let own: OwnSide
    let resourcePolicy: ResourcePolicy?
    let needsBothSides: Bool

    func ruling(on question: Question) -> Ruling {
        if case .eventsOnly = own { return tokenRuling(on: question) }
        if let ending = sessionRuling(on: question) { return ending }
        let mine = ownFinding(on: question)
        if case .denied(let matched) = mine {
            return .denied(Reason(kind: .explicitDeny, policyType: .identity, matched: matched))
        }
        let theirs = resourceFinding(on: question)
        if case .denied(let matched) = theirs {
            return .denied(Reason(kind: .explicitDeny, policyType: resourceType, matched: matched))
        }
        return combine(mine, theirs, isForeign: isForeign(question))
    }

    private func combine(_ mine: Finding, _ theirs: Finding, isForeign: Bool) -> Ruling {
        switch (mine, theirs) {
        case (.allowed, .allowed), (.allowed, .allowedThroughAccount): .allowed
        case (.allowed, _): isForeign || needsBothSides ? .undecided(.implicit(resourceType)) : .allowed
        case (_, .allowed) where caller.kind == .anonymous: .allowed
        case (_, .allowed) where !isForeign && !needsBothSides && caller.kind != .service: .allowed
        default: .undecided(.implicit(.identity))
        }
    }

    // MARK: The caller's side

    private func tokenRuling(on question: Question) -> Ruling {
        if question.action.elementsEqual("actiontrail:putevents".utf8), !isForeign(question) { return .allowed }
        return .denied(
            Reason(kind: .explicitDeny, policyType: .identity, matched: ["the rule that an ingest token only puts events"]))
    }

    /// Nil if a session policy allows the request, or there is none: then the others are asked.
    private func sessionRuling(on question: Question) -> Ruling? {
        guard case .policies(let policies) = own, let session = policies.session else { return nil }
        let denies = Self.matches(.deny, in: session.document.program, question, label: "session policy")
        if !denies.isEmpty { return .denied(Reason(kind: .explicitDeny, policyType: .session, matched: denies)) }
        return session.document.program.next(.allow, for: question) == nil ? .denied(.implicit(.session)) : nil
    }

    private func ownFinding(on question: Question) -> Finding {
        switch own {
        case .everything: return .allowed
        case .nothing, .eventsOnly: return .silent
        case .policies(let policies):
            let identity = policies.identity
            if identity.indices.contains(where: { identity[$0].document.program.next(.deny, for: question) != nil }) {
                return .denied(
                    matched: identity.flatMap {
                        Self.matches(.deny, in: $0.document.program, question, label: "\($0.type.rawValue)/\($0.name)")
                    })
            }
            let isAllowed = identity.indices.contains { identity[$0].document.program.next(.allow, for: question) != nil }
            return isAllowed ? .allowed : .silent
        }
    }

    // MARK: The resource's side

    /// Reading, replacing and removing the policy itself stays open to root, or a careless Deny could never be undone.
    private static let neverClosedToOwner = ["oss:getbucketpolicy", "oss:putbucketpolicy", "oss:deletebucketpolicy"]

    /// The one place where root of the resource's own account meets a policy: a bucket policy may deny it something,
    /// as the vendor's does; key and trust policies may not.
    private func isAboveResourcePolicy(_ question: Question, _ policy: ResourcePolicy) -> Bool {
        guard caller.kind == .rootAccount, !isForeign(question) else { return false }
        return policy.document.kind != .bucket
            || Self.neverClosedToOwner.contains { question.action.elementsEqual($0.utf8) }
    }

    private func resourceFinding(on question: Question) -> Finding {
        guard let policy = resourcePolicy, !isAboveResourcePolicy(question, policy) else { return .silent }
        let program = policy.document.program
        let denies = Self.matches(.deny, in: program, question, label: "\(policy.document.kind) policy") {
            reach(of: $0) > .none
        }
        if !denies.isEmpty { return .denied(matched: denies) }
        var best = PolicyPrincipal.Reach.none
        var place = program.next(.allow, for: question)
        while let found = place, best < .direct {
            best = max(best, reach(of: program.statements[found]))
            place = program.next(.allow, from: found + 1, for: question)
        }
        return switch best {
        case .none: .silent
        case .throughAccount: .allowedThroughAccount
        case .direct: .allowed
        }
    }

    private func reach(of statement: PolicyStatement) -> PolicyPrincipal.Reach {
        (statement.principals ?? []).reduce(.none) { max($0, $1.reach(caller)) }
    }

    private var resourceType: PolicyType { needsBothSides ? .trust : .resource }

    /// Whether the resource belongs to another account, by its name or by its policy: then one's own grants are not
    /// enough, were they `*` on `*`.
    private func isForeign(_ question: Question) -> Bool {
        [question.account, resourcePolicy?.owner].contains { $0.map { !$0.hasSameBytes(as: caller.accountId) } ?? false }
    }

    // MARK: Reasons

    private static let mostReasons = 8

    private static func matches(
        _ effect: PolicyStatement.Effect, in program: PolicyProgram, _ question: Question, label: String,
        where isMeant: (PolicyStatement) -> Bool = { _ in true }
    ) -> [String] {
        var labels: [String] = []
        var place = program.next(effect, for: question)
        while let found = place, labels.count < mostReasons {
            if isMeant(program.statements[found]) { labels.append("\(label) \(program.statements[found].label)") }
            place = program.next(effect, from: found + 1, for: question)
        }
        return labels
    }
}
