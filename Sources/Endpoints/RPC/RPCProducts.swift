// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Names of operations that this version does not have yet: they answer 501, unknown ones 404.
extension RPCProduct {
    static let actionTrail = RPCProduct(
        serviceName: "Actiontrail",
        operations: [
            .createTrail, .updateTrail, .deleteTrail, .describeTrails, .getTrailStatus, .startLogging, .stopLogging,
            .lookupEvents, .describeRegions, .createDeliveryHistoryJob, .getDeliveryHistoryJob,
            .listDeliveryHistoryJobs, .deleteDeliveryHistoryJob, .getDataEventSelector,
            .getGlobalEventsStorageRegion, .getAccessKeyLastUsedInfo, .getAccessKeyLastUsedProducts,
            .getAccessKeyLastUsedEvents, .getAccessKeyLastUsedIps, .getAccessKeyLastUsedResources,
            // Cairn's own.
            .countEvents, .getEventProof, .getConsistencyProof, .createIngestToken, .listIngestTokens, .deleteIngestToken,
            .listQuarantinedRecords,
        ] + RPCOperation.advancedQueryOperations,
        unbuilt: [
            "UpdateGlobalEventsStorageRegion",
            "PutDataEventSelector", "DeleteDataEventSelector", "ListDataEventSelectors", "ListDataEventServices",
            "EnableInsight", "DisableInsight", "GetInsightTypes", "GetInsightSelectors", "PutInsightSelectors",
            "GetInsightsEventsCount", "LookupInsightEvents",
            "DescribeResourceLifeCycleEvents", "DescribeUserLogCount", "DescribeUserAlertCount",
            "GetGovernanceMetrics", "DescribeTrailDeliveryMetricData", "DescribeUserTrailCount",
        ])

    static let actionTrail2017 = RPCProduct(
        serviceName: "Actiontrail",
        operations: [
            .createTrail, .updateTrail, .deleteTrail, .describeTrails, .getTrailStatus, .startLogging, .stopLogging,
            .lookupEvents2017, .describeRegions,
        ], unbuilt: [])

    static let keyManagement = RPCProduct(
        serviceName: "Kms", deniedCode: "Forbidden.NoPermission",
        referenced: [("KeyId", "ACS::KMS::Key"), ("AliasName", "ACS::KMS::Alias")],
        operations: RPCOperation.keyManagementOperations,
        // Keys for MACs: the names of their specs are not known.
        unbuilt: ["GenerateMac", "VerifyMac"])

    static let accessManagement = RPCProduct(
        serviceName: "Ram",
        referenced: [
            ("UserName", "ACS::RAM::User"), ("GroupName", "ACS::RAM::Group"), ("RoleName", "ACS::RAM::Role"),
            ("PolicyName", "ACS::RAM::Policy"), ("UserAccessKeyId", "ACS::RAM::AccessKey"),
            ("SerialNumber", "ACS::RAM::MFADevice"),
        ], operations: RPCOperation.accessManagementOperations,
        unbuilt: [])

    static let securityTokens = RPCProduct(
        serviceName: "Sts", referenced: [("RoleArn", "ACS::RAM::Role")],
        operations: [.assumeRole, .getCallerIdentity], unbuilt: [])
}
