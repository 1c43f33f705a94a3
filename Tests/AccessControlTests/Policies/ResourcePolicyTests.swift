// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Testing

@Suite struct `A resource's policy` {
    static let object = "acs:oss:*:\(Account.own):b/k"
    static let key = "acs:kms:cn-hangzhou:\(Account.own):key/k1"
    static let role = "acs:ram:*:\(Account.own):role/Ops"

    static func bucket(
        _ effect: String, _ principals: String, _ action: String = "oss:*", resource: String = "*"
    ) throws -> ResourcePolicy {
        let text = #"{"Effect":"\#(effect)","Principal":\#(principals),"Action":"\#(action)","Resource":"\#(resource)"}"#
        return ResourcePolicy(try .of(text, as: .bucket), owner: Account.own)
    }

    static func key(_ effect: String, _ principal: String) throws -> ResourcePolicy {
        let text = #"{"Effect":"\#(effect)","Principal":{"RAM":["\#(principal)"]},"Action":"kms:*","Resource":"*"}"#
        return ResourcePolicy(try .of(text, as: .key), owner: Account.own)
    }

    static func trust(_ principal: String, if condition: String = "") throws -> ResourcePolicy {
        let text = #"{"Effect":"Allow","Principal":\#(principal),"Action":"sts:AssumeRole"\#(condition)}"#
        return ResourcePolicy(try .of(text, as: .trust), owner: Account.own)
    }

    @Test func `of the same account is enough, or not needed`() throws {
        let granting = try Self.bucket("Allow", #"["\#(Caller.ann.principalId)"]"#)
        #expect(try Scene(resource: granting).decide("oss:GetObject", on: Self.object).word == "Allow")
        #expect(try Scene(caller: .bob, resource: granting).decide("oss:GetObject", on: Self.object).word == "ImplicitDeny")
        let scene = Scene(identity: [`A decision`.allow("oss:*")], resource: try Self.bucket("Deny", #"["*"]"#))
        let verdict = try scene.decide("oss:GetObject", on: Self.object)
        #expect(verdict.word == "ExplicitDeny")
        #expect(verdict.denial?.policyType == "ResourceBasedPolicy" && verdict.denial?.matched == ["bucket policy statement 1"])
    }

    @Test func `names people, accounts, sessions and everybody`() throws {
        let rows: [(principals: String, caller: Caller, expected: String)] = [
            ("[]", .bob, "Allow"), ("[]", .anonymous, "Allow"), (#""*""#, .anonymous, "Allow"),
            (#"["\#(Account.own)"]"#, .bob, "ImplicitDeny"), (#"["\#(Account.own)"]"#, .anonymous, "ImplicitDeny"),
            (#"["arn:sts::\#(Account.own):assumed-role/ops/s-1"]"#, .opsSession, "Allow"),
            (#"["arn:sts::\#(Account.own):assumed-role/Ops/*"]"#, .opsSession, "Allow"),
            (#"["arn:sts::\#(Account.own):assumed-role/Ops/s-2"]"#, .opsSession, "ImplicitDeny"),
            (#"["arn:sts::\#(Account.other):assumed-role/Ops/*"]"#, .opsSession, "ImplicitDeny"),
        ]
        for row in rows {
            let scene = Scene(caller: row.caller, resource: try Self.bucket("Allow", row.principals))
            #expect(try scene.decide("oss:GetObject", on: Self.object).word == row.expected, "\(row.principals) \(row.caller)")
        }
        let denied = Scene(
            caller: .bob, identity: [`A decision`.everything], resource: try Self.bucket("Deny", #"["\#(Account.own)"]"#))
        #expect(try denied.decide("oss:GetObject", on: Self.object).word == "ExplicitDeny", "a Deny reaches the whole account")
    }

    @Test func `of a bucket binds its owner, who can still take it away`() throws {
        let policy = try Self.bucket("Deny", #"["*"]"#)
        let scene = Scene(caller: .root, resource: policy)
        #expect(try scene.decide("oss:GetObject", on: Self.object).word == "ExplicitDeny")
        for action in ["oss:GetBucketPolicy", "oss:PutBucketPolicy", "oss:DeleteBucketPolicy"] {
            #expect(try scene.decide(action, on: "acs:oss:*:\(Account.own):b").word == "Allow")
            let user = Scene(identity: [`A decision`.everything], resource: policy)
            #expect(try user.decide(action, on: "acs:oss:*:\(Account.own):b").word == "ExplicitDeny")
        }
        #expect(try Scene(caller: .root).decide("oss:GetObject", on: Self.object).word == "Allow")
        let others = Scene(caller: .rootAccount(Account.other, accessKeyId: nil), resource: policy)
        #expect(try others.decide("oss:DeleteBucketPolicy", on: "acs:oss:*:\(Account.own):b").word == "ExplicitDeny")
    }

    @Test func `is needed by other accounts beside their own`() throws {
        let all = `A decision`.everything
        let root = Caller.rootAccount(Account.other, accessKeyId: nil)
        for caller in [Caller.stranger, root] {
            #expect(try Scene(caller: caller, identity: [all]).decide("kms:Encrypt", on: Self.key).word == "ImplicitDeny")
            #expect(try Scene(caller: caller, identity: [all]).decide("oss:GetObject", on: Self.object).word == "ImplicitDeny")
        }
        let toUser = try Self.key("Allow", "acs:ram::\(Account.other):user/ann")
        #expect(
            try Scene(caller: .stranger, identity: [all], resource: toUser).decide("kms:Encrypt", on: Self.key).word == "Allow")
        #expect(try Scene(caller: .stranger, resource: toUser).decide("kms:Encrypt", on: Self.key).word == "ImplicitDeny")
        #expect(try Scene(caller: root, resource: toUser).decide("kms:Encrypt", on: Self.key).word == "ImplicitDeny")
        let toAccount = try Self.key("Allow", "acs:ram::\(Account.other):*")
        #expect(
            try Scene(caller: .stranger, identity: [all], resource: toAccount).decide("kms:Encrypt", on: Self.key).word == "Allow"
        )
        #expect(try Scene(caller: .stranger, resource: toAccount).decide("kms:Encrypt", on: Self.key).word == "ImplicitDeny")
        #expect(try Scene(caller: root, resource: toAccount).decide("kms:Encrypt", on: Self.key).word == "Allow")
        let bucket = try Self.bucket("Allow", #"["\#(Caller.stranger.principalId)"]"#)
        #expect(
            try Scene(caller: .stranger, identity: [all], resource: bucket).decide("oss:GetObject", on: Self.object).word
                == "Allow")
        #expect(try Scene(caller: .stranger, resource: bucket).decide("oss:GetObject", on: Self.object).word == "ImplicitDeny")
        // The owner counts even where the ARN leaves the account open.
        #expect(
            try Scene(caller: .stranger, identity: [all], resource: try Self.key("Allow", "acs:ram::\(Account.own):*"))
                .decide("kms:Encrypt", on: "acs:kms:*:*:key/k1").word == "ImplicitDeny")
    }

    @Test func `of a key opens it to the account only through grants`() throws {
        let standard = try Self.key("Allow", "acs:ram::\(Account.own):*")
        #expect(try Scene(resource: standard).decide("kms:Encrypt", on: Self.key).word == "ImplicitDeny")
        #expect(
            try Scene(identity: [`A decision`.allow("kms:*")], resource: standard).decide("kms:Encrypt", on: Self.key).word
                == "Allow")
        #expect(
            try Scene(resource: try Self.key("Allow", "acs:ram::\(Account.own):user/ANN")).decide("kms:Encrypt", on: Self.key)
                .word == "Allow")
        #expect(
            try Scene(caller: .root, resource: try Self.key("Deny", "acs:ram::\(Account.own):*")).decide(
                "kms:Encrypt", on: Self.key
            ).word == "Allow")
    }

    @Test func `of a role is needed beside the caller's own`() throws {
        let trustAnn = try Self.trust(#"{"RAM":["acs:ram::\#(Account.own):user/ann"]}"#)
        let trustAll = try Self.trust(#"{"RAM":"acs:ram::\#(Account.own):root"}"#)
        let may = [`A decision`.allow("sts:AssumeRole", on: "acs:ram::\(Account.own):role/ops")]
        func word(_ caller: Caller, _ identity: [String], _ trust: ResourcePolicy, _ conditions: [String: [String]] = [:]) throws
            -> String
        {
            try Scene(identity: identity).authorizer().decideAssumeRole(
                caller, AccessRequest("sts:AssumeRole", on: Self.role, conditions: conditions), in: .at(), trust: trust
            ).word
        }
        #expect(try word(.ann, may, trustAnn) == "Allow")
        #expect(try word(.ann, may, trustAll) == "Allow")
        #expect(try word(.bob, may, trustAnn) == "ImplicitDeny")
        #expect(try word(.ann, [], trustAnn) == "ImplicitDeny")
        #expect(try word(.ann, may + [`A decision`.deny("sts:*")], trustAnn) == "ExplicitDeny")
        #expect(try word(.root, may, trustAll) == "ImplicitDeny")
        #expect(try word(.stranger, may, trustAll) == "ImplicitDeny")
        #expect(try word(.anonymous, [], trustAll) == "ImplicitDeny")
        let external = try Self.trust(
            #"{"RAM":"acs:ram::\#(Account.other):root"}"#, if: #","Condition":{"StringEquals":{"sts:ExternalId":"x-1"}}"#)
        #expect(try word(.stranger, may, external, ["sts:ExternalId": ["x-1"]]) == "Allow")
        #expect(try word(.stranger, may, external) == "ImplicitDeny")
        let service = try Self.trust(#"{"Service":["actiontrail.aliyuncs.com"]}"#)
        #expect(try word(.service("actiontrail.aliyuncs.com", accountId: Account.own), [], service) == "Allow")
        #expect(try word(.service("oss.aliyuncs.com", accountId: Account.own), [], service) == "ImplicitDeny")
        #expect(try word(.ann, may, service) == "ImplicitDeny")
    }
}

@Suite struct `Callers without policies of their own` {
    @Test func `put events with an ingest token, and nothing else`() throws {
        let scene = Scene(
            caller: .ingestToken(id: "0011223344556677", name: "t", accountId: Account.own),
            identity: [`A decision`.everything], resource: try `A resource's policy`.bucket("Allow", "[]"))
        let trail = "acs:actiontrail:cn-hangzhou:\(Account.own):*"
        #expect(try Scene(caller: scene.caller).decide("actiontrail:PutEvents", on: trail).word == "Allow")
        #expect(
            try Scene(caller: scene.caller).decide("actiontrail:PutEvents", on: "acs:actiontrail:r:\(Account.other):*").isFinal)
        for action in ["actiontrail:LookupEvents", "oss:GetObject", "actiontrail:PutEventsX"] {
            let verdict = try scene.decide(action, on: trail)
            #expect(verdict.word == "ExplicitDeny" && verdict.isFinal, "\(action)")
        }
    }

    @Test func `act for a service as far as its own role goes`() throws {
        let scene = Scene(
            caller: .service("actiontrail.aliyuncs.com", accountId: Account.own), identity: [`A decision`.everything],
            resource: nil)
        #expect(try scene.decide("oss:PutObject", on: "acs:oss:*:\(Account.own):b/k").word == "Allow")
        let store = "acs:log:cn-hangzhou:\(Account.own):project/p/logstore/"
        #expect(try scene.decide("log:PostLogStoreLogs", on: store + "actiontrail_t").word == "Allow")
        #expect(try scene.decide("log:PostLogStoreLogs", on: store + "mine").word == "ImplicitDeny")
        #expect(try scene.decide("oss:DeleteObject", on: "acs:oss:*:\(Account.own):b/k").word == "ImplicitDeny")
        let unknown = Scene(caller: .service("ecs.aliyuncs.com", accountId: Account.own), identity: [`A decision`.everything])
        #expect(try unknown.decide("oss:PutObject", on: "acs:oss:*:\(Account.own):b/k").word == "ImplicitDeny")
        let granted = Scene(caller: scene.caller, resource: try `A resource's policy`.bucket("Allow", "[]"))
        #expect(try granted.decide("oss:DeleteObject", on: "acs:oss:*:\(Account.own):b/k").word == "ImplicitDeny")
        let closed = Scene(caller: scene.caller, resource: try `A resource's policy`.bucket("Deny", "[]"))
        #expect(try closed.decide("oss:PutObject", on: "acs:oss:*:\(Account.own):b/k").word == "ExplicitDeny")
    }

    @Test func `are nobody and see what is open to all`() throws {
        let verdict = try Scene(caller: .anonymous, identity: [`A decision`.everything]).decide(
            "oss:GetObject", on: "acs:oss:*:\(Account.own):b/k")
        #expect(verdict.word == "ImplicitDeny" && !verdict.isFinal)
        #expect(verdict.denial?.principalType == "Anonymous" && verdict.denial?.encodedDiagnosticMessage == "")
    }
}
