// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension OSSV1 {
    /// The query parameters that V1 signs; any other may be added or taken away freely.
    ///
    /// One list must agree with every client: this is the union of those in the SDKs (oss.md section 5).
    static let signedSubresources: Set<String> = [
        // bucket configuration
        "acl", "bucketInfo", "location", "stat", "policy", "policyStatus", "encryption", "lifecycle", "logging",
        "website", "referer", "cors", "tagging", "versioning", "versions", "inventory", "inventoryId",
        "requestPayment", "replication", "replicationLocation", "replicationProgress", "rtc", "transferAcceleration",
        "resourceGroup", "style", "styleName", "cname", "comp", "metaQuery", "MetaQuery", "publicAccessBlock",
        "accessPoint", "accessPointPolicy", "x-oss-access-point-name", "bucketArchiveDirectRead", "httpsConfig",
        "redundancyTransition", "x-oss-target-redundancy-type", "x-oss-redundancy-transition-taskid", "responseHeader",
        "overwriteConfig", "quota", "dataPipeline", "metadataConfiguration", "metadataInventoryTable",
        "metadataJournalTable", "userDefinedLogFieldsConfig", "processConfiguration",
        // retention
        "worm", "wormId", "wormExtend", "objectWorm", "retention", "legalHold",
        // object
        "append", "position", "uploads", "uploadId", "partNumber", "delete", "restore", "cleanRestoredObject",
        "symlink", "objectMeta", "objectInfo", "versionId", "sequential", "callback", "callback-var", "seal",
        "asyncFetch", "img", "group", "link", "x-oss-process", "x-oss-async-process", "x-oss-traffic-limit",
        "x-oss-request-payer", "x-oss-write-get-object-response",
        // response overrides
        "response-content-type", "response-content-language", "response-expires", "response-cache-control",
        "response-content-disposition", "response-content-encoding",
        // paging, token
        "continuation-token", "security-token",
        // service, other
        "regionList", "cloudboxes", "qos", "qosInfo", "qosRequester", "requesterQosInfo", "resourcePool",
        "resourcePoolInfo", "resourcePoolBuckets", "live", "status", "vod", "startTime", "endTime", "udf", "udfName",
        "udfId", "udfImage", "udfImageDesc", "udfApplication", "udfApplicationLog", "withHashContext",
        "x-oss-enable-md5", "x-oss-enable-sha1", "x-oss-enable-sha256", "x-oss-hash-ctx", "x-oss-md5-ctx",
        "x-oss-ac-source-ip", "x-oss-ac-subnet-mask", "x-oss-ac-vpc-id", "x-oss-ac-forward-allow", "vpcip", "vip",
        "x-oss-rename", "x-oss-delete", "x-oss-dir",
    ]
}
