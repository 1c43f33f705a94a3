// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Actions that more than one of the policies name, spelt as the vendor spells them. Source: ram.md section 6.
enum ActionLists {
    static let actionTrailReads = ["Lookup*", "Describe*", "Get*", "Check*", "List*"].map { "actiontrail:" + $0 }

    static let kmsReads =
        [
            "List*", "Describe*", "GetPublicKey", "GetUploadBackupDataInfo", "GetKmsInstanceSharedAccounts",
            "GetKmsInstanceQuotaInfos", "GetCheckAssociateResourceTaskResults", "GetKeyPolicy", "GetKeyDefaultPolicy",
            "GetSecretPolicy", "GetSecretDefaultPolicy", "GetKmsInstance", "GetDefaultKmsInstance",
        ].map { "kms:" + $0 }

    static let deliveryKeys = [
        "kms:ListKeys", "kms:Listalias", "kms:ListAliasesByKeyId", "kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt",
    ]

    static let logstoreWrites = [
        "log:PostLogStoreLogs", "log:CreateLogstore", "log:GetLogstore", "log:CreateIndex", "log:UpdateIndex", "log:GetIndex",
        "log:GetLogStoreLogs", "log:UpdateLogStore",
    ]

    static let trailLogstores = ["actiontrail_*", "innertrail_*", "insights_*"].map { "acs:log:*:*:project/*/logstore/" + $0 }

    /// What ActionTrail's own roles are granted.
    static let delivery: [PolicyText.Statement] = [
        .init(
            actions: [
                "oss:ListObjects", "oss:PutObject", "oss:GetBucketInfo", "oss:GetBucketLifecycle", "oss:GetBucketLocation",
            ] + deliveryKeys),
        .init(actions: ["log:GetProject", "log:ListJobs", "log:DescribeService"]),
        .init(actions: logstoreWrites, resources: trailLogstores),
        .init(actions: ["log:CreateDashboard", "log:UpdateDashboard"], resources: ["acs:log:*:*:project/*/dashboard/*"]),
        .init(
            actions: ["log:CreateSavedSearch", "log:UpdateSavedSearch"],
            resources: ["acs:log:*:*:project/*/savedsearch/actiontrail_*", "acs:log:*:*:project/*/savedsearch/innertrail_*"]),
        .init(actions: ["mns:PublishMessage"]),
        .init(
            actions: ["GetResourceDirectory", "ListAccounts", "GetResourceDirectoryAccount"].map { "resourcemanager:" + $0 }),
        .init(actions: ["cms:DescribeMetricList", "cms:QueryMetricList"]),
    ]
}
