// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Testing

@Suite struct `A policy document` {
    static func error(_ text: String, _ kind: PolicyDocument.Kind) -> String? {
        do throws(PolicySyntaxError) {
            _ = try PolicyDocument(parsing: text, as: kind)
            return nil
        } catch {
            return "\(error)"
        }
    }

    static func framed(_ statements: String) -> String { "{\"Version\":\"1\",\"Statement\":[\(statements)]}" }

    static let sound = #"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#

    @Test(arguments: [
        ("", "document: not JSON: the text ends early (line 1, byte 1)"),
        ("{\"Version\":\"1\",\n \"Statement\":[}", "document: not JSON: a value is expected (line 2, byte 15)"),
        ("{\"Version\":\"1\"} x", "document: not JSON: more text after the end of the value (line 1, byte 17)"),
        ("{\"a\":1,\"a\":2}", "document: not JSON: the member a stands twice (line 1, byte 11)"),
        ("{\"a\":\"\\ud800\"}", "document: not JSON: half a surrogate pair (line 1, byte 13)"),
        ("{\"a\":01}", "document: not JSON: a malformed number (line 1, byte 8)"),
        ("{\"a\":1,}", "document: not JSON: a member's name in quotes is expected (line 1, byte 8)"),
        ("{\"a\":\"\u{1}\"}", "document: not JSON: a control character must be escaped (line 1, byte 8)"),
        ("{\"a\":\"x", "document: not JSON: a text without its closing quote (line 1, byte 8)"),
        (String(repeating: "[", count: 5000), "document: not JSON: nested too deep (line 1, byte 17)"),
        ("[]", "document: must be an object"),
        ("{}", "Version: must be \"1\""),
        (#"{"Version":1,"Statement":[]}"#, "Version: must be \"1\""),
        (#"{"Version":"2","Statement":[]}"#, "Version: must be \"1\""),
        (#"{"Version":"1"}"#, "Statement: must be a list of one statement or more"),
        (#"{"Version":"1","Statement":[]}"#, "Statement: must be a list of one statement or more"),
        (#"{"Version":"1","Statement":{}}"#, "Statement: must be a list of one statement or more"),
        (#"{"Version":"1","Statement":[],"Id":"x"}"#, "document.Id: is no element of this kind of policy"),
    ])
    func `tells where it is no document`(_ text: String, _ expected: String) {
        #expect(Self.error(text, .identity) == expected)
    }

    static let statements: [(String, PolicyDocument.Kind, String)] = [
        ("1", .identity, "Statement[2]: must be an object"),
        (#"{"Effect":"allow","Action":"*","Resource":"*"}"#, .identity, "Statement[2].Effect: must be Allow or Deny"),
        (#"{"Action":"*","Resource":"*"}"#, .identity, "Statement[2].Effect: must be Allow or Deny"),
        (#"{"Effect":"Allow","Resource":"*"}"#, .identity, "Statement[2].Action: is missing"),
        (
            #"{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}"#, .identity,
            "Statement[2].Action: stands beside NotAction; only one of the two may"
        ),
        (#"{"Effect":"Allow","Action":[],"Resource":"*"}"#, .identity, "Statement[2].Action: is an empty list"),
        (#"{"Effect":"Allow","Action":[1],"Resource":"*"}"#, .identity, "Statement[2].Action: must be a text or a list of texts"),
        (
            #"{"Effect":"Allow","NotAction":["kms:*","kms"],"Resource":"*"}"#, .identity,
            "Statement[2].NotAction: kms is neither * nor service:Operation"
        ),
        (
            #"{"Effect":"Allow","Action":":x","Resource":"*"}"#, .identity,
            "Statement[2].Action: :x is neither * nor service:Operation"
        ),
        (#"{"Effect":"Allow","Action":"*"}"#, .identity, "Statement[2].Resource: is missing"),
        (
            #"{"Effect":"Allow","Action":"*","Resource":["*","arn:x"]}"#, .identity,
            "Statement[2].Resource: arn:x is neither * nor begins with acs:"
        ),
        (
            #"{"Effect":"Allow","Action":"*","NotResource":"*"}"#, .identity,
            "Statement[2].NotResource: is no element of this kind of policy"
        ),
        (
            #"{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}"#, .identity,
            "Statement[2].Principal: is no element of this kind of policy"
        ),
        (
            #"{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}"#, .session,
            "Statement[2].Principal: is no element of this kind of policy"
        ),
        (
            #"{"Effect":"Allow","Action":"*","Resource":"*","Conditon":{}}"#, .identity,
            "Statement[2].Conditon: is no element of this kind of policy"
        ),
        (
            #"{"Effect":"Allow","Action":"*","Resource":"*","Condition":[]}"#, .identity,
            "Statement[2].Condition: must be an object"
        ),
        (
            #"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqual":{"a":"b"}}}"#, .identity,
            "Statement[2].Condition.StringEqual: unknown operator"
        ),
        (
            #"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqualsIfExists":{"a":"b"}}}"#, .identity,
            "Statement[2].Condition.StringEqualsIfExists: unknown operator"
        ),
        (
            #"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForSome:Bool":{"a":"b"}}}"#, .identity,
            "Statement[2].Condition.ForSome:Bool: unknown operator"
        ),
        (
            #"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":"true"}}"#, .identity,
            "Statement[2].Condition.Bool: must be an object"
        ),
        (
            #"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a":"yes"}}}"#, .identity,
            "Statement[2].Condition.Bool.a: yes is not true or false"
        ),
        (
            #"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"a":null}}}"#, .identity,
            "Statement[2].Condition.StringEquals.a: must be a text or a list of texts"
        ),
        (
            #"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"acs:SourceIp":["10.0.0.0/8","10.0.0.0/33"]}}}"#,
            .identity, "Statement[2].Condition.IpAddress.acs:SourceIp: 10.0.0.0/33 is not an address or a network"
        ),
        (
            #"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"a":"0x10"}}}"#, .identity,
            "Statement[2].Condition.NumericEquals.a: 0x10 is not a number"
        ),
        (
            #"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateLessThan":{"acs:CurrentTime":"2026-01-01"}}}"#,
            .identity,
            "Statement[2].Condition.DateLessThan.acs:CurrentTime: 2026-01-01 is not a date like 2026-08-12T17:00:00+08:00"
        ),
        (
            #"{"Sid":7,"Effect":"Allow","Action":"*","Resource":"*"}"#, .identity,
            "Statement[2].Sid: must be a text of at most 128 plain characters"
        ),
        (
            #"{"Sid":"a b","Effect":"Allow","Action":"kms:*","Resource":"*","Principal":{"RAM":"acs:ram::1:*"}}"#, .key,
            "Statement[2].Sid: must be a text of at most 128 plain characters"
        ),
        (#"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#, .key, "Statement[2].Principal: is missing"),
        (#"{"Effect":"Allow","Action":"kms:*","Resource":"*","Principal":{}}"#, .key, "Statement[2].Principal: names nobody"),
        (
            #"{"Effect":"Allow","Action":"kms:*","Resource":"*","Principal":{"Service":"a"}}"#, .key,
            "Statement[2].Principal.Service: is no element of this kind of policy"
        ),
        (
            #"{"Effect":"Allow","Action":"kms:*","Resource":"*","Principal":{"RAM":["*"]}}"#, .key,
            "Statement[2].Principal.RAM: * names no principal"
        ),
        (
            #"{"Effect":"Allow","Action":"kms:*","Resource":"*","Principal":{"RAM":["acs:ram::*:user/a"]}}"#, .key,
            "Statement[2].Principal.RAM: acs:ram::*:user/a names no principal"
        ),
        (
            #"{"Effect":"Allow","Action":"oss:*","Resource":"*","Principal":{"RAM":"acs:ram::1:*"}}"#, .key,
            "Statement[2].Action: oss:* does not begin with kms:"
        ),
        (
            #"{"Effect":"Allow","Action":"kms:*","Resource":"acs:kms:*:*:*","Principal":{"RAM":"acs:ram::1:*"}}"#, .key,
            "Statement[2].Resource: must be *, which is the key itself"
        ),
        (
            #"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Principal":{"RAM":"acs:ram::1:root"}}"#, .trust,
            "Statement[2].Resource: is no element of this kind of policy"
        ),
        (
            #"{"Effect":"Allow","Action":"*","Principal":{"RAM":"acs:ram::1:root"}}"#, .trust,
            "Statement[2].Action: * does not begin with sts:"
        ),
        (
            #"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}"#, .trust, "Statement[2].Principal: must be an object"
        ),
        (
            #"{"Effect":"Allow","Action":"oss:*","Resource":"acs:kms:*:*:*","Principal":["*"]}"#, .bucket,
            "Statement[2].Resource: acs:kms:*:*:* is neither * nor begins with acs:oss:"
        ),
        (
            #"{"Effect":"Allow","Action":"oss:*","Resource":"*","Principal":["ann"]}"#, .bucket,
            "Statement[2].Principal: ann is neither * nor an account id, a user id or an ARN of role sessions"
        ),
        (
            #"{"Effect":"Allow","Action":"oss:*","Resource":"*","NotResource":"*","Principal":["*"]}"#, .bucket,
            "Statement[2].Resource: stands beside NotResource; only one of the two may"
        ),
    ]

    @Test(arguments: statements)
    func `tells where a statement is wrong`(_ statement: String, _ kind: PolicyDocument.Kind, _ expected: String) {
        let first =
            switch kind {
            case .identity, .session: Self.sound
            case .key: #"{"Effect":"Allow","Action":"kms:*","Resource":"*","Principal":{"RAM":"acs:ram::1:*"}}"#
            case .bucket: #"{"Effect":"Allow","Action":"oss:*","Resource":"*","Principal":["*"]}"#
            case .trust: #"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":"acs:ram::1:root"}}"#
            }
        #expect(Self.error(Self.framed(first), kind) == nil)
        #expect(Self.error(Self.framed("\(first),\(statement)"), kind) == expected)
    }

    @Test(arguments: [
        (#"{"Effect":"Allow","Action":["*"],"Resource":["*"],"Condition":{}}"#, PolicyDocument.Kind.identity),
        (#"{"Effect":"Deny","NotAction":"a:b","Resource":"acs:*:*cn-beijing*:*:*","Sid":"ein Satz"}"#, .session),
        (#"{"Effect":"Allow","Action":"oss:*","NotResource":"acs:oss:*:*:b/*","Principal":"*"}"#, .bucket),
        (#"{"Effect":"Allow","Action":"oss:*","Resource":"*","Principal":[]}"#, .bucket),
        (
            #"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Federated":["acs:ram::1:saml-provider/x"],"Service":["a.b"]}}"#,
            .trust
        ),
        (
            #"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a":[true,"FALSE"]},"NumericEquals":{"b":[1,-2.5e3]}}}"#,
            .identity
        ),
        ("{\"Effect\":\"\\u0041llow\",\n\t\"Action\":\"\\ud83d\\ude00:x\",\"Resource\":\"*\"}\n", .identity),
    ])
    func `may be written like this`(_ statement: String, _ kind: PolicyDocument.Kind) {
        #expect(Self.error(Self.framed(statement), kind) == nil)
    }

    @Test(arguments: PolicyDocument.Kind.allCases)
    func `has its longest form`(_ kind: PolicyDocument.Kind) throws {
        let text = Self.framed(
            kind == .bucket || kind == .key || kind == .trust
                ? #"{"Effect":"Allow","Action":"\#(kind == .bucket ? "oss" : kind == .key ? "kms" : "sts"):*","Principal":"#
                    + (kind == .bucket ? #""*""# : #"{"RAM":"acs:ram::1:root"}"#)
                    + (kind == .trust ? "}" : #","Resource":"*"}"#)
                : Self.sound)
        let longest = text + String(repeating: " ", count: kind.maximumLength - text.unicodeScalars.count)
        #expect(try PolicyDocument(parsing: longest, as: kind).text == longest, "the very text is kept")
        #expect(Self.error(longest + " ", kind) == "document: longer than \(kind.maximumLength) characters")
    }

    /// Patterns that make a matcher run for hours if it goes back to try again.
    @Test func `is matched in time that does not depend on its stars`() throws {
        let many = String(repeating: "*a", count: 2000)
        let values = String(repeating: "a", count: 20_000)
        let patterns = [
            many + "*b", many + "b", String(repeating: "a", count: 2900) + "*b", "*" + String(repeating: "a", count: 2900) + "b*",
            "*" + String(repeating: "ab", count: 1400) + "c*", "*" + String(repeating: "?a", count: 60) + "b*",
            String(repeating: "*?", count: 2000) + "*b",
        ]
        for pattern in patterns {
            let scene = Scene(identity: [`A decision`.allow("*", if: #""StringLike":{"k":"\#(pattern)"}"#)])
            let authorizer = try scene.authorizer()
            let request = AccessRequest("kms:Encrypt", on: "*", conditions: ["k": [values]])
            var word = ""
            let time = try ContinuousClock().measure { word = try authorizer.decide(.ann, [request], in: .at()).word }
            #expect(word == "ImplicitDeny")
            // A debug build walks 20,000 bytes in some milliseconds; 128 times that is the promise for runs with `?`.
            #expect(time < .seconds(5), "\(pattern.prefix(20))… took \(time)")
        }
        let long = "*" + String(repeating: "?", count: 129) + "*"
        #expect(
            Self.error(Self.framed(#"{"Effect":"Allow","Action":"*","Resource":"acs:\#(long)"}"#), .identity)
                == "Statement[1].Resource: more than 128 characters with ? between two *")
    }
}
