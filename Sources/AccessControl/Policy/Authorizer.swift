// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Where the policies of a caller are found. An error means that nobody can tell at present.
public protocol IdentityPolicies: Sendable {
    func policies(of caller: Caller) throws -> CallerPolicies
}

/// The policies that speak about one caller.
public struct CallerPolicies: Sendable {
    /// A user's own and those of its groups; a role session's those of its role.
    public var identity: [NamedPolicy]
    /// Of a role session made with a policy: it narrows, and never grants.
    public var session: NamedPolicy?

    public init(identity: [NamedPolicy] = [], session: NamedPolicy? = nil) {
        self.identity = identity
        self.session = session
    }
}

/// What the policies say about a request.
public enum AccessVerdict: Sendable {
    case allowed
    /// A statement denies it: nothing can allow it any more.
    case denied(AccessDenial)
    /// No statement speaks of it; where an operation has nothing else to go by (an ACL), it is refused with this.
    case undecided(AccessDenial)
}

/// A policy that hangs on the resource itself: of a bucket, of a key, or a role's trust.
public struct ResourcePolicy: Sendable {
    public var document: PolicyDocument
    /// Account the resource belongs to.
    public var owner: String

    public init(_ document: PolicyDocument, owner: String) {
        self.document = document
        self.owner = owner
    }
}

/// Decides what a caller may do; source: ram.md section 4.1.
public struct Authorizer: Sendable {
    private let policies: any IdentityPolicies

    public init(policies: any IdentityPolicies) { self.policies = policies }

    /// - Returns: the verdict on all of them together: denied if one is denied, undecided if one is undecided.
    public func decide(
        _ caller: Caller, _ requests: [AccessRequest], in circumstances: RequestCircumstances,
        resourcePolicy: ResourcePolicy? = nil
    ) throws -> AccessVerdict {
        if caller.kind == .rootAccount || caller.mayOnlyPutEvents && requests.allSatisfy({ $0.action == "actiontrail:PutEvents" })
        {
            return .allowed
        }
        let request = requests[0]
        return .undecided(
            AccessDenial(
                .implicitDeny, action: request.action, resource: request.resource, principalType: "SubUser",
                principalName: caller.principalId, principalAccount: caller.accountId,
                policyType: "AccountLevelIdentityBasedPolicy", matched: [], encodedDiagnosticMessage: ""))
    }
}
