// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Testing

/// The table of ram.md section 4.2, row by row.
@Suite struct `A decision` {
    static let key1 = "acs:kms:cn-hangzhou:\(Account.own):key/k1"
    static let key2 = "acs:kms:cn-hangzhou:\(Account.own):key/k2"
    static let keys = "acs:kms:cn-hangzhou:\(Account.own):key"
    static let everything = #"{"Effect":"Allow","Action":"*","Resource":"*"}"#

    static func allow(_ action: String, on resource: String = "*", if condition: String? = nil) -> String {
        statement("Allow", #""Action":"\#(action)""#, resource, condition)
    }

    static func deny(_ action: String, on resource: String = "*", if condition: String? = nil) -> String {
        statement("Deny", #""Action":"\#(action)""#, resource, condition)
    }

    static func statement(_ effect: String, _ action: String, _ resource: String, _ condition: String?) -> String {
        #"{"Effect":"\#(effect)",\#(action),"Resource":"\#(resource)"\#(condition.map { #","Condition":{\#($0)}"# } ?? "")}"#
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let policies: [String]
        let action: String
        let resource: String
        let expected: String
        init(_ policies: [String], _ action: String, _ expected: String, on resource: String = keys) {
            (self.policies, self.action, self.expected, self.resource) = (policies, action, expected, resource)
        }
        var testDescription: String { "\(action) on \(resource): \(expected)" }
    }

    static let rows: [Row] = [
        Row([], "kms:ListKeys", "ImplicitDeny"),
        Row([allow("kms:List*")], "kms:ListAliases", "Allow"),
        Row([allow("KMS:list*")], "kms:ListKeys", "Allow"),
        Row([allow("kms:List?eys")], "kms:ListKeys", "Allow"),
        Row([allow("kms:*", on: "acs:kms:*:*:key/k1")], "kms:Encrypt", "Allow", on: key1),
        Row([allow("kms:*", on: "acs:kms:*:*:key/k1")], "kms:Encrypt", "ImplicitDeny", on: key2),
        Row([allow("kms:*", on: "acs:kms:*:*:key*")], "kms:ListKeys", "Allow"),
        Row([allow("*"), deny("kms:Decrypt")], "kms:Decrypt", "ExplicitDeny"),
        Row([allow("*") + "," + deny("kms:Decrypt")], "kms:Decrypt", "ExplicitDeny"),
        Row([statement("Allow", #""NotAction":"ram:*""#, "*", nil)], "kms:Encrypt", "Allow"),
        Row([statement("Allow", #""NotAction":"ram:*""#, "*", nil)], "ram:ListUsers", "ImplicitDeny"),
        Row([statement("Deny", #""NotAction":"kms:*""#, "*", nil), allow("*")], "oss:GetObject", "ExplicitDeny"),
        Row([statement("Deny", #""NotAction":"kms:*""#, "*", nil), allow("*")], "kms:Encrypt", "Allow"),
        // Shapes seen in system policies, and names that carry the separators themselves.
        Row([allow("kms:*", on: "acs:*:*cn-hangzhou*:*:*")], "kms:Encrypt", "Allow", on: key1),
        Row([allow("kms:*", on: "acs:*:*cn-beijing*:*:*")], "kms:Encrypt", "ImplicitDeny", on: key1),
        Row([allow("kms:*", on: "acs:kms::\(Account.own):key/k1")], "kms:Encrypt", "Allow", on: key1),
        Row([allow("kms:*", on: "acs:kms:cn:\(Account.own):key/k1")], "kms:Encrypt", "ImplicitDeny", on: key1),
        Row([allow("kms:*", on: "acs:KMS:*:*:key/k1")], "kms:Encrypt", "ImplicitDeny", on: key1),
        Row([allow("kms:*", on: "acs:kms:*:*:KEY/k1")], "kms:Encrypt", "ImplicitDeny", on: key1),
        Row([allow("kms:*", on: "acs:kms:*")], "kms:Encrypt", "Allow", on: key1),
        Row([allow("kms:*", on: "acs:oss:*")], "kms:Encrypt", "ImplicitDeny", on: key1),
        Row([allow("oss:*", on: "acs:oss:*:*:b/a:*/c")], "oss:GetObject", "Allow", on: "acs:oss:*:\(Account.own):b/a:x:y/c"),
        Row([allow("oss:*", on: "acs:oss:*:*:b/日?")], "oss:GetObject", "Allow", on: "acs:oss:*:\(Account.own):b/日志"),
        Row([allow("oss:*", on: "acs:oss:*:*:b/?")], "oss:GetObject", "ImplicitDeny", on: "acs:oss:*:\(Account.own):b/日志"),
        Row([allow("ram:*", on: "acs:ram:*:*:role/ops")], "ram:GetRole", "Allow", on: "acs:ram:*:\(Account.own):role/Ops"),
        Row([allow("ram:*", on: "acs:ram::*:Role/OPS*")], "ram:GetRole", "Allow", on: "acs:ram:*:\(Account.own):role/ops1"),
        Row([allow("ram:*", on: "acs:ram:*:*:user/ann")], "ram:GetUser", "ImplicitDeny", on: "acs:ram:*:\(Account.own):user/Ann"),
        Row([allow("kms:DescribeAccountKmsStatus")], "kms:DescribeAccountKmsStatus", "Allow", on: "*"),
        Row([allow("kms:*", on: "acs:kms:*:*:*")], "kms:DescribeAccountKmsStatus", "ImplicitDeny", on: "*"),
    ]

    @Test(arguments: rows)
    func `follows the table`(_ row: Row) throws {
        #expect(try Scene(identity: row.policies).decide(row.action, on: row.resource).word == row.expected)
    }

    @Test func `asks for addresses`() throws {
        let condition = #""IpAddress":{"acs:SourceIp":["10.0.0.0/8","192.0.2.1"]}"#
        let scene = Scene(identity: [Self.allow("*", if: condition)])
        for (address, expected) in [
            ("192.0.2.1", "Allow"), ("192.0.2.2", "ImplicitDeny"), ("10.255.0.1", "Allow"), ("11.0.0.1", "ImplicitDeny"),
            ("::ffff:10.1.2.3", "Allow"), ("::a00:1", "ImplicitDeny"), ("", "ImplicitDeny"), ("unix", "ImplicitDeny"),
        ] {
            #expect(try scene.decide("kms:Encrypt", in: .at(from: address)).word == expected, "\(address)")
        }
        let six = Scene(identity: [Self.allow("*", if: #""NotIpAddress":{"acs:sourceip":["2001:db8::/33","::/128"]}"#)])
        for (address, expected) in [
            ("2001:db8:7fff::1", "ImplicitDeny"), ("2001:db8:8000::1", "Allow"), ("::", "ImplicitDeny"), ("::1", "Allow"),
            ("fe80::1%eth0", "Allow"), ("192.0.2.1", "Allow"),
        ] {
            #expect(try six.decide("kms:Encrypt", in: .at(from: address)).word == expected, "\(address)")
        }
        let all = Scene(identity: [Self.allow("*", if: #""IpAddress":{"acs:SourceIp":"0.0.0.0/0"}"#)])
        #expect(try all.decide("kms:Encrypt", in: .at(from: "203.0.113.9")).word == "Allow")
        #expect(try all.decide("kms:Encrypt", in: .at(from: "2001:db8::1")).word == "ImplicitDeny")
    }

    @Test func `asks for the transport`() throws {
        let scene = Scene(identity: [Self.deny("*", if: #""Bool":{"acs:SecureTransport":"false"}"#), Self.everything])
        #expect(try scene.decide("kms:Encrypt", in: .at(isSecure: false)).word == "ExplicitDeny")
        #expect(try scene.decide("kms:Encrypt").word == "Allow")
    }

    @Test func `asks for the time`() throws {
        let scene = Scene(identity: [Self.allow("*", if: #""DateLessThan":{"acs:CurrentTime":"2019-08-12T17:00:00+08:00"}"#)])
        let end = WireTime(iso8601: "2019-08-12T09:00:00Z")!
        #expect(try scene.decide("kms:Encrypt", in: .at(end - 1)).word == "Allow")
        #expect(try scene.decide("kms:Encrypt", in: .at(end)).word == "ImplicitDeny")
    }

    @Test func `asks for what the operation brings`() throws {
        let listing = Scene(identity: [
            Self.allow("oss:ListObjects", on: "acs:oss:*:*:b", if: #""StringLike":{"oss:Prefix":["logs/*"]}"#)
        ])
        for (prefix, expected) in [("logs/2026/", "Allow"), ("", "ImplicitDeny")] {
            let verdict = try listing.decide(
                "oss:ListObjects", on: "acs:oss:*:\(Account.own):b", conditions: ["oss:Prefix": [prefix]])
            #expect(verdict.word == expected)
        }
        let absent = Scene(identity: [Self.allow("*", if: #""StringNotEquals":{"k:v":"a"}"#)])
        #expect(try absent.decide("kms:Encrypt").word == "Allow")
        #expect(try absent.decide("kms:Encrypt", conditions: ["k:v": ["a"]]).word == "ImplicitDeny")
        let both = Scene(identity: [Self.allow("*", if: #""StringEquals":{"a:x":[1,2]},"Bool":{"a:y":true}"#)])
        #expect(try both.decide("kms:Encrypt", conditions: ["a:x": ["2"], "A:Y": ["true"]]).word == "Allow")
        #expect(try both.decide("kms:Encrypt", conditions: ["a:x": ["2"], "a:y": ["false"]]).word == "ImplicitDeny")
        #expect(try both.decide("kms:Encrypt", conditions: ["a:x": ["2"]]).word == "ImplicitDeny")
    }

    @Test(arguments: [
        (#""NumericEquals":{"k":"9007199254740993"}"#, ["9007199254740992"], false),
        (#""NumericEquals":{"k":[1, 2.50]}"#, ["2.5"], true),
        (#""NumericLessThanEquals":{"k":10}"#, ["9.9"], true),
        (#""NumericGreaterThan":{"k":10}"#, ["ten"], false),
        (#""NumericNotEquals":{"k":10}"#, ["ten"], true),
        (#""StringEqualsIgnoreCase":{"k":"aBc"}"#, ["AbC"], true),
        (#""StringEqualsIgnoreCase":{"k":"k"}"#, ["\u{212A}"], false),
        (#""StringNotEqualsIgnoreCase":{"k":"aBc"}"#, ["AbC"], false),
        (#""StringNotLike":{"k":["a*","b*"]}"#, ["bcd"], false),
        (#""DateNotEquals":{"k":"2026-01-01T00:00:00Z"}"#, ["2026-01-01T01:00:00+01:00"], false),
        (#""DateGreaterThanEquals":{"k":"2026-01-01T00:00:00-05:30"}"#, ["2026-01-01T05:30:00Z"], true),
        (#""StringEquals":{"k":"a"}"#, ["b", "a"], true),
        (#""StringNotEquals":{"k":"a"}"#, ["b", "a"], false),
        (#""ForAnyValue:StringNotEquals":{"k":"a"}"#, ["b", "a"], true),
        (#""ForAnyValue:StringEquals":{"k":"a"}"#, [], false),
        (#""ForAnyValue:StringNotEquals":{"k":"a"}"#, [], false),
        (#""ForAllValues:StringEquals":{"k":["a","b"]}"#, ["b", "a"], true),
        (#""ForAllValues:StringEquals":{"k":["a","b"]}"#, ["b", "c"], false),
        (#""ForAllValues:StringEquals":{"k":["a","b"]}"#, [], true),
        (#""StringEqualsAny":{"k":["a","b"]}"#, ["b"], true),
    ])
    func `knows the operator`(_ condition: String, _ values: [String], _ isAllowed: Bool) throws {
        let verdict = try Scene(identity: [Self.allow("*", if: condition)])
            .decide("kms:Encrypt", conditions: values.isEmpty ? [:] : ["k": values])
        #expect(verdict.word == (isAllowed ? "Allow" : "ImplicitDeny"), "\(condition) \(values)")
    }

    @Test func `asks who calls`() throws {
        func word(_ caller: Caller, _ condition: String) throws -> String {
            try Scene(caller: caller, identity: [Self.allow("*", if: condition)]).decide("kms:Encrypt").word
        }
        for spelling in ["acs:ram::\(Account.own):user/ann", "acs:ram:*:\(Account.own):user/ann"] {
            #expect(try word(.ann, #""StringEquals":{"acs:PrincipalArn":"\#(spelling)"}"#) == "Allow")
            #expect(try word(.bob, #""StringEquals":{"acs:PrincipalArn":"\#(spelling)"}"#) == "ImplicitDeny")
            #expect(try word(.ann, #""StringNotEquals":{"acs:PrincipalARN":"\#(spelling)"}"#) == "ImplicitDeny")
        }
        #expect(try word(.opsSession, #""StringLike":{"acs:PrincipalARN":"acs:ram:*:*:role/op*"}"#) == "Allow")
        #expect(try word(.opsSession, #""Bool":{"acs:MFAPresent":true}"#) == "ImplicitDeny")
        #expect(try word(.session("s", isMultiFactor: true), #""Bool":{"acs:MFAPresent":"True"}"#) == "Allow")
        #expect(try word(.ann, #""Bool":{"acs:MFAPresent":"false"}"#) == "Allow")
        #expect(try word(.ann, #""StringEquals":{"acs:AccessId":"LTAIann"}"#) == "Allow")
        #expect(try word(.ann, #""StringLike":{"acs:UserAgent":"*"}"#) == "ImplicitDeny", "none was sent")
    }

    @Test func `takes the standing keys from the request itself`() throws {
        let scene = Scene(identity: [Self.allow("*", if: #""IpAddress":{"acs:SourceIp":"10.0.0.0/8"}"#)])
        #expect(try scene.decide("kms:Encrypt", conditions: ["acs:SourceIp": ["10.0.0.1"]]).word == "ImplicitDeny")
    }

    @Test func `is narrowed by a session policy, and never widened`() throws {
        let narrow = Scene(caller: .opsSession, identity: [Self.allow("kms:*")], session: Self.allow("kms:ListKeys"))
        #expect(try narrow.decide("kms:ListKeys").word == "Allow")
        let outside = try narrow.decide("kms:ListAliases")
        #expect(outside.word == "ImplicitDeny" && outside.isFinal)
        #expect(outside.denial?.policyType == "SessionPolicy")
        let wide = Scene(caller: .opsSession, identity: [Self.allow("kms:ListKeys")], session: Self.everything)
        #expect(try wide.decide("kms:Encrypt").word == "ImplicitDeny")
        let denying = Scene(
            caller: .opsSession, identity: [Self.everything], session: Self.everything + "," + Self.deny("kms:Decrypt"))
        #expect(try denying.decide("kms:Decrypt").word == "ExplicitDeny")
    }

    @Test func `needs every one of several requests`() throws {
        let authorizer = try Scene(identity: [Self.allow("kms:*", on: "acs:kms:*:*:key/k1"), Self.deny("kms:Decrypt")])
            .authorizer()
        func word(_ requests: [AccessRequest]) throws -> String {
            try authorizer.decide(.ann, requests, in: .at()).word
        }
        let (one, two) = (AccessRequest("kms:Encrypt", on: Self.key1), AccessRequest("kms:Encrypt", on: Self.key2))
        #expect(try word([one, one]) == "Allow")
        #expect(try word([one, two]) == "ImplicitDeny")
        #expect(try word([two, AccessRequest("kms:Decrypt", on: Self.key1)]) == "ExplicitDeny")
        #expect(try word([]) == "ImplicitDeny")
    }

    @Test func `against a request names what decided`() throws {
        let scene = Scene(identity: [
            Self.everything,
            Self.everything + #",{"Sid":"NoUse","Effect":"Deny","Action":"kms:De*","Resource":"*"}"#,
            Self.deny("kms:*"),
        ])
        let denial = try #require(try scene.decide("kms:Decrypt").denial)
        #expect(denial.matched == ["Custom/p2 statement 2 (NoUse)", "Custom/p3 statement 1"])
        #expect(denial.principalType == "SubUser" && denial.principalName == Caller.ann.principalId)
        #expect(denial.principalAccount == Account.own && denial.policyType == "AccountLevelIdentityBasedPolicy")
        #expect(denial.reason == "kms:Decrypt on \(Self.key1) is denied by Custom/p2 statement 2 (NoUse), Custom/p3 statement 1")
        let ofSession = try #require(try Scene(caller: .opsSession).decide("kms:Decrypt").denial)
        #expect(ofSession.principalType == "AssumedRoleUser" && ofSession.principalName == "Ops:s-1")
        #expect(ofSession.matched.isEmpty && ofSession.kind == .implicitDeny)
    }

    @Test func `is an error when nobody knows the policies`() throws {
        struct Unreachable: Error {}
        struct Broken: IdentityPolicies {
            func policies(of caller: Caller) throws -> CallerPolicies { throw Unreachable() }
        }
        let authorizer = Authorizer(policies: Broken())
        #expect(throws: Unreachable.self) {
            try authorizer.decide(.ann, [AccessRequest("kms:Encrypt", on: Self.key1)], in: .at())
        }
        #expect(try authorizer.decide(.root, [AccessRequest("kms:Encrypt", on: Self.key1)], in: .at()).word == "Allow")
    }
}
