// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Testing

@Suite struct `A diagnostic message` {
    func denials(_ count: Int, in messages: DiagnosticMessages, at now: WireTime = .noon) throws -> [AccessDenial] {
        let authorizer = Authorizer(policies: FixedPolicies(), diagnostics: messages)
        return try (0..<count).map { place in
            let request = AccessRequest(
                "kms:Decrypt", on: "acs:kms:r:\(Account.own):key/\(place)", conditions: ["kms:tag/team": ["a"]])
            return try #require(
                try authorizer.decide(.ann, [request], in: .at(now, agent: String(repeating: "x", count: 5000))).denial)
        }
    }

    @Test func `is read by its own account for some hours`() throws {
        let messages = DiagnosticMessages(lifetimeSeconds: 100)
        let denial = try #require(try denials(1, in: messages).first)
        let message = try #require(messages.decode(denial.encodedDiagnosticMessage, account: Account.own, at: .noon + 99))
        #expect(message.denial == denial)
        #expect(message.conditions["kms:tag/team"] == ["a"] && message.conditions["acs:SourceIp"] == ["192.0.2.1"])
        #expect(message.conditions["acs:PrincipalARN"] == ["acs:ram::\(Account.own):user/ann"])
        #expect(message.conditions["acs:UserAgent"]?.first?.utf8.count ?? 0 < 300)
        #expect(messages.decode(denial.encodedDiagnosticMessage, account: Account.other, at: .noon) == nil)
        #expect(messages.decode(denial.encodedDiagnosticMessage, account: Account.own, at: .noon + 100) == nil)
        #expect(messages.decode("", account: Account.own, at: .noon) == nil)
    }

    @Test func `gives way to newer ones when the table is full`() throws {
        let messages = DiagnosticMessages(capacity: 10)
        let handles = try denials(25, in: messages).map(\.encodedDiagnosticMessage)
        #expect(Set(handles).count == 25 && handles.allSatisfy { $0.utf8.count == 32 })
        let kept = handles.map { messages.decode($0, account: Account.own, at: .noon) != nil }
        #expect(kept == (0..<25).map { $0 >= 15 })
    }
}
