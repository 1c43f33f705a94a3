// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Names of operations that this version does not have yet: they answer 501, unknown ones 404.
extension RPCProduct {
    static let actionTrail = RPCProduct(
        serviceName: "Actiontrail", code: "actiontrail",
        operations: [
            .createTrail, .updateTrail, .deleteTrail, .describeTrails, .getTrailStatus, .startLogging, .stopLogging,
            .lookupEvents, .describeRegions, .createDeliveryHistoryJob, .getDeliveryHistoryJob,
            .listDeliveryHistoryJobs, .deleteDeliveryHistoryJob, .getDataEventSelector,
            .getGlobalEventsStorageRegion,
            // Cairn's own.
            .getEventProof, .getConsistencyProof, .createIngestToken, .listIngestTokens, .deleteIngestToken,
            .listQuarantinedRecords,
        ],
        unbuilt: [
            "GetAccessKeyLastUsedInfo", "GetAccessKeyLastUsedProducts", "GetAccessKeyLastUsedEvents",
            "GetAccessKeyLastUsedIps", "GetAccessKeyLastUsedResources", "UpdateGlobalEventsStorageRegion",
            "PutDataEventSelector", "DeleteDataEventSelector", "ListDataEventSelectors", "ListDataEventServices",
            "EnableInsight", "DisableInsight", "GetInsightTypes", "GetInsightSelectors", "PutInsightSelectors",
            "GetInsightsEventsCount", "LookupInsightEvents", "CreateAdvancedQueryTemplate",
            "UpdateAdvancedQueryTemplate", "GetAdvancedQueryTemplate", "DescribeAdvancedQueryTemplate",
            "DeleteAdvancedQueryTemplate", "CreateAdvancedQueryHistory", "DescribeAdvancedQueryHistory",
            "DeleteAdvancedQueryHistory", "DescribeScenes", "DescribeSearchTemplates",
            "DescribeResourceLifeCycleEvents", "DescribeUserLogCount", "DescribeUserAlertCount",
            "GetGovernanceMetrics", "DescribeTrailDeliveryMetricData", "DescribeUserTrailCount",
        ])

    static let actionTrail2017 = RPCProduct(
        serviceName: "Actiontrail", code: "actiontrail",
        operations: [
            .createTrail, .updateTrail, .deleteTrail, .describeTrails, .getTrailStatus, .startLogging, .stopLogging,
            .lookupEvents2017, .describeRegions,
        ], unbuilt: [])

    static let keyManagement = RPCProduct(
        serviceName: "Kms", code: "kms", deniedCode: "Forbidden.NoPermission",
        operations: RPCOperation.keyManagementOperations,
        // Keys for MACs: the names of their specs are not known.
        unbuilt: ["GenerateMac", "VerifyMac"])

    static let accessManagement = RPCProduct(
        serviceName: "Ram", code: "ram", isRegional: false, operations: RPCOperation.accessManagementOperations,
        unbuilt: [])

    static let securityTokens = RPCProduct(
        serviceName: "Sts", code: "sts", isRegional: false, operations: [.assumeRole, .getCallerIdentity], unbuilt: [])
}
