// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A persona's bytes in the arena: the `userIdentity` object and all else that depends on who calls.
package struct Identity: Sendable {
    private(set) var object = Extent.empty
    /// Who tried to sign in and failed: there is no session to tell of.
    package let withoutSession: Extent
    private(set) var key = Extent.empty
    private(set) var sessionDate = Extent.empty
    private var sessionHour = Int64.min
    package let name: Extent
    package let tail: Extent
    package let mfa: Extent
    package let addresses: [Extent]
    package let agents: [Extent]
    package let usesConsole: Bool
    private let isRole: Bool

    /// The letters of a temporary key that change with each session.
    private static let temporaryKeyTail = 16

    package init(_ persona: Persona, company: Company, arena: inout [UInt8]) {
        name = arena.store(persona.userName)
        tail = arena.store((persona.isInsideNetwork ? #","vpcId":"\#(company.vpcId)""# : "") + "}\n")
        mfa = arena.store(persona.isMFAChecked ? "true" : "false")
        addresses = persona.addresses.map { arena.store($0) }
        agents = persona.agents.map { arena.store($0) }
        usesConsole = persona.usesConsole

        let start = arena.count
        let type: String
        switch persona.credential {
        case .rootConsole: (type, isRole) = ("root-account", false)
        case .console, .accessKey: (type, isRole) = ("ram-user", false)
        case .role: (type, isRole) = ("assumed-role", true)
        case .service: (type, isRole) = ("system", false)
        }
        arena.storeText("{")
        switch persona.credential {
        case .accessKey(let user):
            arena.storeText(#""accessKeyId":""#)
            key = arena.store(company.accessKey(of: user))
            arena.storeText(#"","#)
        case .role:
            arena.storeText(#""accessKeyId":"STS.NEXAMPLE"#)
            key = arena.reserve(Identity.temporaryKeyTail)
            arena.storeText(#"","#)
        case .rootConsole, .console, .service:
            break
        }
        arena.storeText(#""accountId":"\#(company.account)","principalId":"\#(Identity.principal(persona, company))""#)
        if usesConsole || isRole {
            arena.storeText(#","sessionContext":{"attributes":{"creationDate":""#)
            sessionDate = arena.reserve(Calendar.stampLength)
            arena.storeText(#"","mfaAuthenticated":"\#(persona.isMFAChecked)"}}"#)
        }
        arena.storeText(#","type":"\#(type)","userName":"\#(persona.userName)"}"#)
        object = Extent(start: start, count: arena.count - start)
        withoutSession = arena.store(
            #"{"accountId":"\#(company.account)","principalId":"\#(Identity.principal(persona, company))","#
                + #""type":"\#(type)","userName":"\#(persona.userName)"}"#)
    }

    private static func principal(_ persona: Persona, _ company: Company) -> String {
        switch persona.credential {
        case .rootConsole, .service: company.account
        case .console(let user, _), .accessKey(let user): company.principal(user)
        case .role(let role, let session): company.principal(role) + ":" + session
        }
    }

    /// Roles take a new temporary key each hour; people open a session when they sign in.
    package mutating func refreshSession(
        _ arena: UnsafeMutablePointer<UInt8>, time: Int64, isSignIn: Bool, letters: [UInt8],
        using generator: inout SplitMix64
    ) {
        guard sessionDate.count > 0 else { return }
        let hour = Calendar.floorDivide(time, Calendar.hour)
        guard isSignIn || sessionHour == .min || isRole && sessionHour != hour else { return }
        sessionHour = hour
        Calendar.writeStamp(time, into: arena + sessionDate.start)
        if isRole {
            Draw.write(letters, arena + key.start, key.count, using: &generator)
        }
    }
}

extension [UInt8] {
    fileprivate mutating func storeText(_ text: String) {
        append(contentsOf: text.utf8)
    }
}
