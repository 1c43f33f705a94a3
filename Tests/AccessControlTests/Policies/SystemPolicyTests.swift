// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Testing

@Suite struct `The system policies` {
    static func may(_ policies: [String], _ action: String, _ resource: String, _ conditions: [String: [String]] = [:]) throws
        -> Bool
    {
        let named = try policies.map { try #require(SystemPolicies.policy(named: $0)).named }
        let verdict = try Authorizer(policies: FixedPolicies(identity: named))
            .decide(.ann, [AccessRequest(action, on: resource, conditions: conditions)], in: .at())
        return verdict.word == "Allow"
    }

    @Test func `are all there and well formed`() throws {
        let names = [
            "AdministratorAccess", "AliyunActionTrailDeliveryPolicy", "AliyunActionTrailFullAccess",
            "AliyunActionTrailReadOnlyAccess", "AliyunActionTrailRolePolicy", "AliyunKMSCryptoAdminAccess",
            "AliyunKMSCryptoUserAccess", "AliyunKMSFullAccess", "AliyunKMSReadOnlyAccess", "AliyunLogFullAccess",
            "AliyunLogReadOnlyAccess", "AliyunOSSFullAccess", "AliyunOSSReadOnlyAccess", "AliyunRAMFullAccess",
            "AliyunRAMReadOnlyAccess", "AliyunSTSAssumeRoleAccess", "AliyunServiceRolePolicyForActionTrail", "ReadOnlyAccess",
        ]
        #expect(SystemPolicies.all.map(\.name) == names)
        for policy in SystemPolicies.all {
            #expect(policy.named.type == .system && policy.versionId.hasPrefix("v") && !policy.description.isEmpty)
            #expect(policy.createdAt <= policy.updatedAt)
            #expect(try PolicyDocument(parsing: policy.document.text, as: .identity).text == policy.document.text)
        }
        #expect(SystemPolicies.policy(named: "AliyunActionTrailFullAccess")?.updatedAt.iso8601 == "2020-08-05T00:00:00Z")
        #expect(SystemPolicies.policy(named: "administratoraccess")?.name == "AdministratorAccess")
    }

    static let store = "acs:log:cn-hangzhou:\(Account.own):project/p/logstore/"
    static let any = "acs:x:cn-hangzhou:\(Account.own):y"
    static let key = "acs:kms:cn-hangzhou:\(Account.own):key/k"

    @Test(arguments: [
        ("AdministratorAccess", "ram:CreateUser", any, true),
        ("ReadOnlyAccess", "actiontrail:LookupEvents", any, true), ("ReadOnlyAccess", "oss:GetObject", any, true),
        ("ReadOnlyAccess", "kms:DescribeKey", key, true), ("ReadOnlyAccess", "kms:GetSecretValue", key, false),
        ("ReadOnlyAccess", "kms:Decrypt", key, false), ("ReadOnlyAccess", "ram:CreateUser", any, false),
        ("AliyunActionTrailFullAccess", "actiontrail:DeleteTrail", any, true),
        ("AliyunActionTrailFullAccess", "oss:GetObject", any, false),
        ("AliyunActionTrailReadOnlyAccess", "actiontrail:DescribeTrails", any, true),
        ("AliyunActionTrailReadOnlyAccess", "actiontrail:StopLogging", any, false),
        ("AliyunOSSFullAccess", "oss:DeleteObject", any, true), ("AliyunOSSReadOnlyAccess", "oss:ListObjects", any, true),
        ("AliyunOSSReadOnlyAccess", "oss:PutObject", any, false), ("AliyunLogFullAccess", "log:DeleteProject", any, true),
        ("AliyunLogReadOnlyAccess", "log:GetLogStoreLogs", store + "a", true),
        ("AliyunLogReadOnlyAccess", "log:PostLogStoreLogs", store + "a", false),
        ("AliyunKMSFullAccess", "kms:Decrypt", key, true), ("AliyunKMSReadOnlyAccess", "kms:GetPublicKey", key, true),
        ("AliyunKMSReadOnlyAccess", "kms:Encrypt", key, false), ("AliyunKMSCryptoUserAccess", "kms:Decrypt", key, true),
        ("AliyunKMSCryptoUserAccess", "kms:CreateKey", key, false),
        ("AliyunKMSCryptoAdminAccess", "kms:ListKeys", "acs:kms:cn-hangzhou:\(Account.own):key", true),
        ("AliyunKMSCryptoAdminAccess", "kms:GetSecretValue", "acs:kms:cn-hangzhou:\(Account.own):secret/s", false),
        ("AliyunKMSCryptoAdminAccess", "ecs:TagResources", "acs:kms:cn-hangzhou:\(Account.own):secret/s", true),
        ("AliyunRAMFullAccess", "ram:AttachPolicyToUser", any, true), ("AliyunRAMReadOnlyAccess", "ram:ListUsers", any, true),
        ("AliyunRAMReadOnlyAccess", "ram:CreateUser", any, false), ("AliyunSTSAssumeRoleAccess", "sts:AssumeRole", any, true),
        ("AliyunSTSAssumeRoleAccess", "ram:GetRole", any, false),
        ("AliyunActionTrailDeliveryPolicy", "oss:PutObject", any, true),
        ("AliyunActionTrailDeliveryPolicy", "oss:ListObjects", any, false),
        ("AliyunActionTrailDeliveryPolicy", "log:CreateLogStore", store + "actiontrail_t", true),
        ("AliyunActionTrailRolePolicy", "log:PostLogStoreLogs", store + "insights_t", true),
        ("AliyunServiceRolePolicyForActionTrail", "kms:ListAlias", key, true),
        ("AliyunServiceRolePolicyForActionTrail", "log:PostLogStoreLogs", store + "other", false),
    ])
    func `grant what their names say`(_ policy: String, _ action: String, _ resource: String, _ expected: Bool) throws {
        #expect(try Self.may([policy], action, resource) == expected, "\(policy) \(action)")
    }

    @Test func `hand roles to ActionTrail only`() throws {
        func may(_ action: String, _ key: String, _ service: String) throws -> Bool {
            try Self.may(["AliyunActionTrailFullAccess"], action, "*", [key: [service]])
        }
        #expect(try may("ram:PassRole", "acs:Service", "actiontrail.aliyuncs.com"))
        #expect(try !may("ram:PassRole", "acs:Service", "ecs.aliyuncs.com"))
        #expect(try may("ram:CreateServiceLinkedRole", "ram:ServiceName", "actiontrail.aliyuncs.com"))
        #expect(try !may("ram:CreateServiceLinkedRole", "ram:ServiceName", "ecs.aliyuncs.com"))
        let role = try #require(ServiceLinkedRole.ofService("actiontrail.aliyuncs.com"))
        #expect(SystemPolicies.policy(named: role.policyName) != nil)
        #expect(role.trust.kind == .trust && ServiceLinkedRole.ofService("ecs.aliyuncs.com") == nil)
    }
}

@Suite struct `Separated duties` {
    static let trail = "acs:actiontrail:cn-hangzhou:\(Account.own):trail/t"
    static let object = "acs:oss:*:\(Account.own):audit/p/AliyunLogs/x.gz"
    static let bucket = "acs:oss:*:\(Account.own):audit"
    static let store = "acs:log:cn-hangzhou:\(Account.own):project/p/logstore/actiontrail_t"
    static let key = "acs:kms:cn-hangzhou:\(Account.own):key/k"
    static let user = "acs:ram:*:\(Account.own):user/ann"
    static let administratorAccess = "acs:ram:*:system:policy/AdministratorAccess"

    static let reads = [
        ("actiontrail:LookupEvents", trail), ("actiontrail:LookupInsightEvents", trail), ("oss:GetObject", object),
        ("log:GetLogStoreLogs", store), ("log:GetCursorOrData", store), ("log:GetLogStoreHistogram", store),
    ]
    static let erasures = [
        ("actiontrail:StopLogging", trail), ("actiontrail:DeleteTrail", trail), ("oss:DeleteObject", object),
        ("oss:DeleteBucket", bucket), ("oss:PutBucketLifecycle", bucket), ("log:DeleteLogStore", store),
        ("log:UpdateLogStore", store), ("oss:PutObject", object), ("log:PostLogStoreLogs", store),
    ]
    static let set = [
        ("actiontrail:CreateTrail", trail), ("actiontrail:StartLogging", trail), ("oss:PutBucket", bucket),
        ("oss:InitiateBucketWorm", bucket), ("log:CreateLogStore", store),
    ]
    static let grants = [
        ("ram:CreateUser", user), ("ram:AttachPolicyToUser", user), ("ram:CreatePolicy", "acs:ram:*:\(Account.own):policy/*"),
        ("kms:CreateKey", "acs:kms:cn-hangzhou:\(Account.own):key"), ("kms:SetKeyPolicy", key),
    ]
    static let uses = [
        ("kms:Decrypt", key), ("kms:GenerateDataKey", key), ("kms:ReEncryptFrom", key), ("kms:GetSecretValue", key),
    ]
    static let care = [("ram:ChangePassword", user), ("ram:BindMFADevice", user)]

    /// What a holder may do who has in addition been given everything there is.
    static func may(_ preset: PolicyPreset, _ request: (String, String), alone: Bool) throws -> Bool {
        var policies = [
            NamedPolicy(name: preset.name, type: .custom, document: try PolicyDocument(parsing: preset.document, as: .identity))
        ]
        if !alone { policies += SystemPolicies.all.map(\.named) }
        return try Authorizer(policies: FixedPolicies(identity: policies))
            .decide(.ann, [AccessRequest(request.0, on: request.1)], in: .at()).word == "Allow"
    }

    static func expect(_ preset: PolicyPreset, may: [(String, String)], mayNot: [(String, String)]) throws {
        for request in may { #expect(try Self.may(preset, request, alone: true), "\(preset.name) \(request)") }
        for request in mayNot {
            #expect(try !Self.may(preset, request, alone: true), "\(preset.name) \(request)")
            #expect(try !Self.may(preset, request, alone: false), "\(preset.name) \(request) with further grants")
        }
    }

    @Test func `fit into a policy and have names of policies`() throws {
        let auditor = try SeparationOfDuties.auditor(trail: "all_regions", bucket: "audit")
        #expect(auditor.name == "CairnAuditor-all-regions-c392dfd9")
        #expect(try SeparationOfDuties.auditor(trail: "all-regions", bucket: "audit").name == "CairnAuditor-all-regions")
        let names = SeparationOfDuties.administrators.map(\.name)
        #expect(names == ["CairnSystemAdministrator", "CairnAuditAdministrator", "CairnSecurityAdministrator"])
        for preset in SeparationOfDuties.administrators + [auditor] {
            #expect(preset.document.unicodeScalars.count <= 6144)
            #expect(preset.name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
        }
    }

    @Test func `let the system administrator run things`() throws {
        try Self.expect(
            SeparationOfDuties.systemAdministrator, may: Self.set + [("actiontrail:DescribeTrails", Self.trail)],
            mayNot: Self.reads + Self.erasures + Self.grants + Self.uses + [
                ("oss:PutBucketPolicy", Self.bucket), ("oss:PutBucketAcl", Self.bucket), ("sts:AssumeRole", Self.user),
                ("ram:PassRole", Self.user),
            ])
    }

    @Test func `let the audit administrator read`() throws {
        try Self.expect(
            SeparationOfDuties.auditAdministrator,
            may: Self.reads + [
                ("ram:ListUsers", Self.user), ("kms:DescribeKey", Self.key), ("oss:GetBucketPolicy", Self.bucket),
            ],
            mayNot: Self.set + Self.erasures + Self.grants + Self.uses + [("sts:AssumeRole", Self.user)])
    }

    /// Reading what is encrypted under a customer's key, and no other use of it.
    @Test func `let readers use keys for objects only`() throws {
        let auditor = try SeparationOfDuties.auditor(trail: "t", bucket: "audit", keyId: "k")
        func may(_ preset: PolicyPreset, _ key: String, via service: String?, alone: Bool = true) throws -> Bool {
            var policies = [
                NamedPolicy(
                    name: preset.name, type: .custom, document: try PolicyDocument(parsing: preset.document, as: .identity))
            ]
            if !alone { policies += SystemPolicies.all.map(\.named) }
            let request = AccessRequest(
                "kms:Decrypt", on: key, conditions: service.map { ["kms:ViaService": [$0]] } ?? [:])
            return try Authorizer(policies: FixedPolicies(identity: policies)).decide(.ann, [request], in: .at()).word == "Allow"
        }
        let other = "acs:kms:cn-hangzhou:\(Account.own):key/other"
        for preset in [SeparationOfDuties.auditAdministrator, auditor] {
            #expect(try may(preset, Self.key, via: "oss.aliyuncs.com"))
            #expect(try !may(preset, Self.key, via: nil) && !may(preset, Self.key, via: nil, alone: false))
        }
        #expect(try may(SeparationOfDuties.auditAdministrator, other, via: "oss.aliyuncs.com"))
        #expect(try !may(auditor, other, via: "oss.aliyuncs.com"))
    }

    @Test func `let the security administrator grant, but not to itself`() throws {
        try Self.expect(
            SeparationOfDuties.securityAdministrator,
            may: Self.grants + [("ram:AttachPolicyToUser", Self.administratorAccess), ("kms:DescribeKey", Self.key)],
            mayNot: Self.reads + Self.set + Self.erasures + Self.uses + [
                ("sts:AssumeRole", "acs:ram:*:\(Account.own):role/Admin"), ("actiontrail:UpdateTrail", Self.trail),
                ("kms:DisableKey", Self.key), ("kms:ScheduleKeyDeletion", Self.key), ("kms:DeleteKeyMaterial", Self.key),
                ("kms:SetDeletionProtection", Self.key),
                ("ram:DetachPolicyFromUser", "acs:ram:*:\(Account.own):policy/CairnSecurityAdministrator"),
                ("ram:CreatePolicyVersion", "acs:ram:*:\(Account.own):policy/CairnSecurityAdministrator"),
                ("ram:SetDefaultPolicyVersion", "acs:ram:*:\(Account.own):policy/CairnSystemAdministrator"),
                ("ram:DeletePolicy", "acs:ram:*:\(Account.own):policy/CairnAuditor-t"),
                ("ram:AttachPolicyToUser", "acs:ram:*:\(Account.own):policy/CairnAuditAdministrator"),
                ("ram:RemoveUserFromGroup", "acs:ram:*:\(Account.own):group/CairnSecurity"),
            ])
    }

    @Test func `let an auditor read one trail's files and logs`() throws {
        let auditor = try SeparationOfDuties.auditor(
            trail: "t", bucket: "audit", keyPrefix: "p", project: "p", logstore: "actiontrail_t")
        try Self.expect(
            auditor,
            may: [
                ("oss:GetObject", Self.object), ("log:GetLogStoreLogs", Self.store), ("actiontrail:GetTrailStatus", Self.trail),
            ],
            mayNot: Self.set + Self.erasures + Self.grants + Self.uses + [("actiontrail:LookupEvents", Self.trail)])
        for elsewhere in [
            ("oss:GetObject", "acs:oss:*:\(Account.own):audit/pq/x"), ("oss:GetObject", "acs:oss:*:\(Account.own):other/p/x"),
            ("log:GetLogStoreLogs", "acs:log:cn-hangzhou:\(Account.own):project/p/logstore/other"),
        ] {
            #expect(try !Self.may(auditor, elsewhere, alone: true))
        }
        let document = try PolicyDocument(parsing: auditor.document, as: .identity)
        let authorizer = Authorizer(
            policies: FixedPolicies(identity: [NamedPolicy(name: auditor.name, type: .custom, document: document)]))
        for (prefix, expected) in [("p/", "Allow"), ("p/2026/", "Allow"), ("", "ImplicitDeny"), ("q/", "ImplicitDeny")] {
            let list = AccessRequest("oss:ListObjects", on: Self.bucket, conditions: ["oss:Prefix": [prefix]])
            #expect(try authorizer.decide(.ann, [list], in: .at()).word == expected)
        }
    }

    @Test func `take no names that would open more`() {
        #expect(throws: PolicySyntaxError("bucket", "* is no name of letters, digits, - and _")) {
            try SeparationOfDuties.auditor(trail: "t", bucket: "*")
        }
        #expect(throws: PolicySyntaxError("keyPrefix", "must be at most 1023 bytes without * and ?")) {
            try SeparationOfDuties.auditor(trail: "t", bucket: "b", keyPrefix: "a*")
        }
        #expect(throws: PolicySyntaxError.self) {
            try SeparationOfDuties.auditor(trail: "t", bucket: "b", project: "p/../q", logstore: "l")
        }
    }

    @Test func `leave everybody the care for their own sign-in`() throws {
        for preset in SeparationOfDuties.administrators {
            let policy = NamedPolicy(
                name: preset.name, type: .custom, document: try PolicyDocument(parsing: preset.document, as: .identity))
            for (action, resource) in Self.care {
                let verdict = try Authorizer(policies: FixedPolicies(identity: [policy]))
                    .decide(.ann, [AccessRequest(action, on: resource)], in: .at())
                #expect(verdict.word != "ExplicitDeny", "\(preset.name) \(action)")
            }
        }
    }
}
