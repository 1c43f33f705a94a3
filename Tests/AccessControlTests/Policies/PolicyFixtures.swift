// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Testing

/// The same policies for every caller.
struct FixedPolicies: IdentityPolicies {
    var identity: [NamedPolicy] = []
    var session: NamedPolicy?

    func policies(of caller: Caller) throws -> CallerPolicies { CallerPolicies(identity: identity, session: session) }
}

enum Account {
    static let own = "1000000000000001"
    static let other = "2000000000000002"
}

extension Caller {
    static let root = Caller.rootAccount(Account.own, accessKeyId: "LTAIroot")
    static let ann = Caller.ramUser(id: "200000000000000011", name: "ann", accountId: Account.own, accessKeyId: "LTAIann")
    static let bob = Caller.ramUser(id: "200000000000000012", name: "bob", accountId: Account.own, accessKeyId: "LTAIbob")
    static let stranger = Caller.ramUser(
        id: "300000000000000011", name: "ann", accountId: Account.other, accessKeyId: "LTAIstranger")
    static let opsSession = Caller.session("s-1")

    static func session(_ name: String, isMultiFactor: Bool = false) -> Caller {
        assumedRole(
            Session(roleId: "400000000000000011", roleName: "Ops", name: name, createdAt: .noon, isMultiFactor: isMultiFactor),
            accountId: Account.own, accessKeyId: "STS.ops")
    }
}

extension RequestCircumstances {
    static func at(
        _ now: WireTime = .noon, from address: String = "192.0.2.1", isSecure: Bool = true, agent: String? = nil
    ) -> RequestCircumstances {
        RequestCircumstances(sourceAddress: address, isSecureTransport: isSecure, userAgent: agent, at: now)
    }
}

extension AccessVerdict {
    /// In the words of ram.md section 4.2.
    var word: String {
        switch self {
        case .allowed: "Allow"
        case .denied(let denial), .undecided(let denial): denial.kind.rawValue
        }
    }

    var denial: AccessDenial? {
        switch self {
        case .allowed: nil
        case .denied(let denial), .undecided(let denial): denial
        }
    }

    var isFinal: Bool {
        if case .undecided = self { false } else { true }
    }
}

extension PolicyDocument {
    /// Of statements written without the frame around them.
    static func of(_ statements: String, as kind: Kind = .identity) throws -> PolicyDocument {
        try PolicyDocument(parsing: "{\"Version\":\"1\",\"Statement\":[\(statements)]}", as: kind)
    }
}

/// A caller with policies, and what comes of a request.
struct Scene {
    var caller = Caller.ann
    var identity: [String] = []
    var session: String?
    var resource: ResourcePolicy?

    func decide(
        _ action: String, on resource: String = "acs:kms:cn-hangzhou:\(Account.own):key/k1",
        conditions: [String: [String]] = [:], in circumstances: RequestCircumstances = .at()
    ) throws -> AccessVerdict {
        try authorizer().decide(
            caller, [AccessRequest(action, on: resource, conditions: conditions)], in: circumstances,
            resourcePolicy: self.resource)
    }

    func authorizer() throws -> Authorizer {
        let policies = try identity.enumerated().map { place, statements in
            NamedPolicy(name: "p\(place + 1)", type: .custom, document: try PolicyDocument.of(statements))
        }
        let session = try session.map {
            NamedPolicy(name: "session", type: .custom, document: try PolicyDocument.of($0, as: .session))
        }
        return Authorizer(policies: FixedPolicies(identity: policies, session: session))
    }
}
