// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The policies that come with the service, under the vendor's names. Source: ram.md section 6.
public enum SystemPolicies {
    /// In the order of their names.
    public static let all = (general + ofProducts + ofDelivery).sortedByBytes { $0.name }

    public static func policy(named name: String) -> SystemPolicy? { byName[DirectoryNames.folded(name)] }

    /// What a service may do that acts unasked; nil if no role is linked to it.
    static func ofServiceLinkedRole(_ serviceName: String) -> SystemPolicy? {
        ServiceLinkedRole.ofService(serviceName).flatMap { policy(named: $0.policyName) }
    }

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { (DirectoryNames.folded($0.name), $0) })
}

extension SystemPolicies {
    private static let general = [
        SystemPolicy("AdministratorAccess", "Everything, on everything.", [.init(actions: ["*"])]),
        SystemPolicy(
            "ReadOnlyAccess", "Reading of all products, other than secrets and key material.",
            [
                .init(actions: ActionLists.actionTrailReads),
                .init(actions: ["oss:Get*", "oss:List*"]),
                .init(actions: ["log:Get*", "log:List*", "log:Query*"]),
                .init(actions: ActionLists.kmsReads),
                .init(actions: ["ram:Get*", "ram:List*", "ram:GenerateCredentialReport"]),
            ]),
        SystemPolicy("AliyunSTSAssumeRoleAccess", "Calling AssumeRole of STS.", [.init(actions: ["sts:AssumeRole"])]),
    ]

    private static let ofProducts = [
        SystemPolicy(
            "AliyunActionTrailFullAccess", "Everything in ActionTrail.", versionId: "v2", updatedAt: "2020-08-05",
            [
                .init(actions: ["actiontrail:*"]),
                .init(actions: ["ram:PassRole"], condition: ("StringEquals", "acs:Service", ["actiontrail.aliyuncs.com"])),
                linkedRole(of: ["actiontrail.aliyuncs.com"]),
            ]),
        SystemPolicy(
            "AliyunActionTrailReadOnlyAccess", "Reading in ActionTrail.", versionId: "v4", updatedAt: "2022-06-27",
            [.init(actions: ActionLists.actionTrailReads)]),
        SystemPolicy("AliyunOSSFullAccess", "Everything in OSS.", [.init(actions: ["oss:*"])]),
        SystemPolicy(
            "AliyunOSSReadOnlyAccess", "Reading in OSS.", updatedAt: "2017-08-17", [.init(actions: ["oss:Get*", "oss:List*"])]),
        SystemPolicy(
            "AliyunLogFullAccess", "Everything in Log Service.", versionId: "v4", updatedAt: "2026-01-09",
            [
                .init(actions: ["log:*"]),
                linkedRole(
                    of: ["audit", "alert", "middlewarelens", "storagelens", "ai-lens", "securitylens"].map {
                        $0 + ".log.aliyuncs.com"
                    }),
                .init(actions: ["cms:CreateChat", "cms:CreateThread"], resources: ["acs:cms:*:*:digitalemployee/apsara-*"]),
            ]),
        SystemPolicy("AliyunLogReadOnlyAccess", "Reading in Log Service.", [.init(actions: ["log:Get*", "log:List*"])]),
        SystemPolicy(
            "AliyunKMSFullAccess", "Everything in KMS.", versionId: "v3", updatedAt: "2021-03-02",
            [
                .init(actions: ["kms:*"]),
                linkedRole(of: ["secretsmanager-rds.kms.aliyuncs.com", "keystore.kms.aliyuncs.com"]),
            ]),
        SystemPolicy(
            "AliyunKMSReadOnlyAccess", "Reading in KMS.", versionId: "v3", updatedAt: "2025-09-23",
            [.init(actions: ActionLists.kmsReads)]),
        SystemPolicy(
            "AliyunKMSCryptoUserAccess", "Use of keys.", updatedAt: "2020-03-04",
            [
                .init(
                    actions: [
                        "Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "AsymmetricDecrypt",
                        "AsymmetricEncrypt", "AsymmetricSign", "AsymmetricVerify", "GetPublicKey",
                    ].map { "kms:" + $0 })
            ]),
        SystemPolicy(
            "AliyunKMSCryptoAdminAccess", "Management of keys and aliases.", versionId: "v2", updatedAt: "2023-06-26",
            [
                .init(actions: ["kms:*"], resources: ["acs:kms:*:*:key*", "acs:kms:*:*:alias*"]),
                .init(
                    actions: ["ecs:TagResources", "ecs:UntagResources", "ecs:ListTagResources"],
                    resources: ["acs:kms:*:*:key/*", "acs:kms:*:*:secret/*"]),
            ]),
        SystemPolicy("AliyunRAMFullAccess", "Everything in RAM.", [.init(actions: ["ram:*"])]),
        SystemPolicy(
            "AliyunRAMReadOnlyAccess", "Reading in RAM.", versionId: "v3", updatedAt: "2025-12-03",
            [
                .init(actions: ["ram:Get*", "ram:List*", "ram:GenerateCredentialReport"]),
                .init(actions: ["accessanalyzer:Get*", "accessanalyzer:List*"]),
            ]),
    ]

    private static let ofDelivery = [
        SystemPolicy(
            "AliyunServiceRolePolicyForActionTrail", "What ActionTrail does unasked, in its service-linked role.",
            versionId: "v11", updatedAt: "2023-08-24",
            ActionLists.delivery + [
                .init(
                    actions: ["ram:DeleteServiceLinkedRole"],
                    condition: ("StringEquals", "ram:ServiceName", ["actiontrail.aliyuncs.com"]))
            ]),
        SystemPolicy(
            "AliyunActionTrailRolePolicy", "What ActionTrail does unasked, in its older role AliyunActionTrailDefaultRole.",
            versionId: "v11", updatedAt: "2021-05-25", ActionLists.delivery),
        SystemPolicy(
            "AliyunActionTrailDeliveryPolicy", "Delivery of a trail into another account's bucket or project.",
            [
                .init(
                    actions: ["oss:PutObject", "oss:GetBucketInfo", "oss:GetBucketLifecycle", "oss:GetBucketLocation"]
                        + ActionLists.deliveryKeys),
                .init(actions: ["log:GetProject"]),
                .init(actions: ActionLists.logstoreWrites, resources: ActionLists.trailLogstores),
            ]),
    ]

    private static func linkedRole(of services: [String]) -> PolicyText.Statement {
        .init(actions: ["ram:CreateServiceLinkedRole"], condition: ("StringEquals", "ram:ServiceName", services))
    }
}
