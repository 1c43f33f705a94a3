// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import TestSupport
import Testing

/// Policies and requests made up at random, close enough to each other that all verdicts are common.
struct PolicyGenerator {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(state: seed) }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func one<Element>(_ choices: [Element]) -> Element { choices.randomElement(using: &random)! }

    mutating func some<Element>(_ count: ClosedRange<Int>, _ make: (inout PolicyGenerator) -> Element) -> [Element] {
        (0..<Int.random(in: count, using: &random)).map { _ in make(&self) }
    }

    // MARK: Requests

    static let actions = [
        "kms:Encrypt", "kms:Decrypt", "kms:ListKeys", "oss:GetObject", "oss:PutObject", "oss:ListObjects", "ram:GetRole",
        "sts:AssumeRole", "oss:PutBucketPolicy", "actiontrail:LookupEvents",
    ]

    static let names = [
        "key/k1", "key/k2", "key", "bucket/a/b", "bucket/日志/é", "bucket", "role/Ops", "role/ops:x", "user/ann", "*", "", "a*b",
    ]

    mutating func resource() -> String {
        if chance(5) { return one(["*", "acs:kms", "acs:oss:*:*", ""]) }
        let account = chance(80) ? Account.own : one([Account.other, "*", "", "system"])
        return "acs:\(one(["kms", "oss", "ram"])):\(one(["cn-hangzhou", "cn-beijing", "*", ""])):\(account):\(one(Self.names))"
    }

    static let keys = [
        "acs:SourceIp", "acs:CurrentTime", "acs:SecureTransport", "acs:MFAPresent", "acs:PrincipalArn", "acs:UserAgent",
        "acs:AccessId", "oss:Prefix", "kms:tag/team", "a:n",
    ]

    mutating func value() -> String {
        one(["a", "A", "abc", "ABC", "1", "2.5", "10", "true", "False", "10.0.0.1", "2026-11-22T12:00:00Z", "", "日"])
    }

    mutating func request() -> AccessRequest {
        var conditions: [String: [String]] = [:]
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            conditions[one(["oss:Prefix", "OSS:prefix", "kms:tag/team", "a:n", "acs:SourceIp"])] = some(0...3) { $0.value() }
        }
        let action = chance(80) ? one(Self.actions) : one(Self.actions).lowercased()
        return AccessRequest(action, on: resource(), conditions: conditions)
    }

    mutating func circumstances() -> RequestCircumstances {
        .at(
            .noon + Int64.random(in: -2...2, using: &random), from: one(addresses), isSecure: chance(50),
            agent: chance(50) ? one(["abc", "curl/8", ""]) : nil)
    }

    let addresses = ["10.0.0.1", "10.1.2.3", "192.0.2.1", "::ffff:10.0.0.1", "2001:db8::1", "::1", "", "x"]

    mutating func caller() -> Caller {
        one([.ann, .ann, .bob, .opsSession, .session("S-2", isMultiFactor: true), .root, .stranger, .anonymous])
    }

    // MARK: Policies

    /// A text with some of it turned into `*` and `?`.
    mutating func pattern(of text: String) -> String {
        var scalars = Array(text.unicodeScalars)
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let from = Int.random(in: 0...scalars.count, using: &random)
            let to = Int.random(in: from...min(scalars.count, from + 6), using: &random)
            scalars.replaceSubrange(from..<to, with: chance(70) || to == from ? ["*"] : Array(repeating: "?", count: to - from))
        }
        return String(String.UnicodeScalarView(scalars))
    }

    mutating func actionPattern() -> String {
        if chance(15) { return "*" }
        let pattern = pattern(of: chance(50) ? one(Self.actions) : one(Self.actions).uppercased())
        let colon = pattern.firstIndex(of: ":")
        return colon == nil || colon == pattern.startIndex || pattern.last == ":" ? "oss:*" : pattern
    }

    mutating func resourcePattern() -> String {
        if chance(30) { return "*" }
        let arn = resource()
        let pattern = arn.hasPrefix("acs:") ? "acs:" + pattern(of: String(arn.dropFirst(4))) : "acs:*"
        return chance(10) ? one(["acs:*:*cn-hangzhou*:*:*", "acs:*", "acs::::", "acs:kms:*", "acs:?ss:*:*:bucket*"]) : pattern
    }

    mutating func operand(_ name: String) -> String {
        if name.contains("Ip") {
            return one(["10.0.0.0/8", "10.0.0.1", "0.0.0.0/0", "::/0", "2001:db8::/32", "192.0.2.1/31", "::1"])
        }
        if name.contains("Bool") { return one(["true", "false", "TRUE"]) }
        if name.contains("Numeric") { return one(["1", "2.5", "2.50", "10", "-3", "1e1"]) }
        if name.contains("Date") {
            return one(["2026-11-22T12:00:00Z", "2026-11-22T20:00:01+08:00", "2026-11-22T11:59:59Z", "2020-01-01T00:00:00-05:00"])
        }
        let text =
            chance(30)
            ? one([
                "acs:ram:*:\(Account.own):user/ann", "acs:ram::\(Account.own):role/OPS", "acs:ram::\(Account.own):root",
                "LTAIann",
            ])
            : value()
        return name.contains("Like") ? pattern(of: text) : text
    }

    static let operators = [
        "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
        "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
        "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan",
        "DateGreaterThanEquals", "Bool", "IpAddress", "NotIpAddress", "StringEqualsAny",
    ]

    mutating func condition() -> String {
        var blocks: [String: String] = [:]
        for _ in 0..<Int.random(in: 1...2, using: &random) {
            let name = one(["", "", "", "ForAnyValue:", "ForAllValues:"]) + one(Self.operators)
            let key =
                name.contains("Ip") && chance(80)
                ? "acs:sourceip" : name.contains("Date") && chance(80) ? "acs:CurrentTime" : one(Self.keys)
            let operands = some(1...3) { $0.operand(name) }
            blocks[name] = "{\"\(key)\":\(Self.json(operands))}"
        }
        return "{" + blocks.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    static func json(_ texts: [String]) -> String {
        texts.count == 1 ? "\"\(texts[0])\"" : "[" + texts.map { "\"\($0)\"" }.joined(separator: ",") + "]"
    }

    mutating func bucketPrincipals() -> String {
        if chance(10) { return "[]" }
        let names = some(1...2) { generator in
            generator.one([
                "*", Account.own, Account.other, Caller.ann.principalId, Caller.stranger.principalId,
                "arn:sts::\(Account.own):assumed-role/ops/s-?", "arn:sts::\(Account.own):assumed-role/O*/*",
            ])
        }
        return Self.json(names)
    }

    mutating func keyPrincipals() -> String {
        let names = some(1...2) { generator in
            let account = generator.chance(70) ? Account.own : Account.other
            return "acs:ram:\(generator.one(["", "*"])):\(account):"
                + generator.one(["*", "root", "user/ann", "user/A*", "role/ops", "role/x"])
        }
        return "{\"RAM\":\(Self.json(names))}"
    }

    mutating func statement(_ kind: PolicyDocument.Kind, deny: Int) -> String {
        var members = ["\"Effect\":\"\(chance(deny) ? "Deny" : "Allow")\""]
        let actions = some(1...3) { generator in
            let pattern = generator.actionPattern()
            switch kind {
            case .bucket: return pattern.lowercased().hasPrefix("oss:") ? pattern : generator.one(["*", "oss:*", "oss:*Object*"])
            case .key: return pattern.lowercased().hasPrefix("kms:") ? pattern : generator.one(["kms:*", "kms:*crypt"])
            default: return pattern
            }
        }
        members.append("\"\(chance(15) ? "NotAction" : "Action")\":\(Self.json(actions))")
        switch kind {
        case .key: members.append("\"Resource\":\"*\",\"Principal\":\(keyPrincipals())")
        case .bucket:
            let resources = some(1...2) { generator in
                let pattern = generator.resourcePattern()
                return pattern == "*" || pattern.hasPrefix("acs:oss:") ? pattern : "acs:oss:*:*:bucket*"
            }
            members.append("\"\(chance(15) ? "NotResource" : "Resource")\":\(Self.json(resources))")
            members.append("\"Principal\":\(bucketPrincipals())")
        default: members.append("\"Resource\":\(Self.json(some(1...2) { $0.resourcePattern() }))")
        }
        if chance(35) { members.append("\"Condition\":\(condition())") }
        return "{\(members.joined(separator: ","))}"
    }

    mutating func document(_ kind: PolicyDocument.Kind, deny: Int = 20) -> String {
        `A policy document`.framed(some(1...4) { $0.statement(kind, deny: deny) }.joined(separator: ","))
    }
}

@Suite struct `The evaluator and a naive one` {
    static let policiesPerSeed = 150
    static let requestsPerPolicy = 12

    @Test(arguments: 0..<20)
    func `agree`(_ seed: Int) throws {
        var generator = PolicyGenerator(seed: UInt64(seed) &* 7919 &+ 1)
        var words: [String: Int] = [:]
        for _ in 0..<Self.policiesPerSeed {
            let identity = generator.some(0...3) { $0.document(.identity) }
            let session = generator.chance(25) ? generator.document(.session, deny: 10) : nil
            let kind = generator.one([PolicyDocument.Kind.bucket, .key])
            let resource = generator.chance(40) ? generator.document(kind) : nil
            let owner = generator.chance(80) ? Account.own : Account.other
            let policies = FixedPolicies(
                identity: try identity.map {
                    NamedPolicy(name: "p", type: .custom, document: try PolicyDocument(parsing: $0, as: .identity))
                },
                session: try session.map {
                    NamedPolicy(name: "s", type: .custom, document: try PolicyDocument(parsing: $0, as: .session))
                })
            let resourcePolicy = try resource.map { ResourcePolicy(try PolicyDocument(parsing: $0, as: kind), owner: owner) }
            let authorizer = Authorizer(policies: policies)
            var naive = NaiveEvaluator(
                identity: try identity.map(NaiveEvaluator.statements), session: try session.map(NaiveEvaluator.statements),
                resource: try resource.map { (kind, try NaiveEvaluator.statements($0), owner) }, caller: .ann,
                circumstances: .at())
            for _ in 0..<Self.requestsPerPolicy {
                naive.caller = generator.caller()
                naive.circumstances = generator.circumstances()
                let request = generator.request()
                let verdict = try authorizer.decide(
                    naive.caller, [request], in: naive.circumstances, resourcePolicy: resourcePolicy)
                let expected = naive.word(request)
                words[expected, default: 0] += 1
                #expect(
                    verdict.word == expected,
                    """
                    seed \(seed), \(naive.caller), \(request), from \(naive.circumstances)
                    identity \(identity)
                    session \(session ?? "none")
                    resource \(resource ?? "none") of \(owner)
                    """)
            }
        }
        let total = words.values.reduce(0, +)
        #expect(total == Self.policiesPerSeed * Self.requestsPerPolicy)
        for word in ["Allow", "ImplicitDeny", "ExplicitDeny"] {
            #expect(words[word, default: 0] * 50 > total, "\(words): each verdict must be common")
        }
    }
}
