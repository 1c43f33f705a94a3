// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension Catalog {
    package static let storing: [Operation] = buckets + logs + keys

    private static func about(_ operation: String) -> JSON {
        ["bucketName": "‹bucket›", operation: ""]
    }

    private static func object(_ more: String, _ value: JSON) -> JSON {
        ["bucketName": "‹bucket›", "objectName": "‹date›/part-‹part›.parquet", more: value]
    }

    private static let buckets: [Operation] = [
        Service.oss.read("ListBuckets", ["max-keys": 100]),
        Service.oss.read("GetBucketInfo", about("bucketInfo"), on: .bucket),
        Service.oss.read("GetBucketAcl", about("acl"), on: .bucket),
        Service.oss.read("GetBucketStat", about("stat"), on: .bucket),
        Service.oss.read("GetBucketLifecycle", about("lifecycle"), on: .bucket),
        Service.oss.read("GetBucketEncryption", about("encryption"), on: .bucket),
        Service.oss.read("GetBucketPolicy", about("policy"), on: .bucket),
        Service.oss.write(
            "PutBucketAcl",
            ["bucketName": "‹bucket›", "acl": "", "x-oss-acl": "‹acl›"], on: .bucket),
        Service.oss.write(
            "PutBucketLifecycle",
            [
                "bucketName": "‹bucket›", "lifecycle": "",
                "Rule": ["ID": "expire-old-builds", "Prefix": "builds/", "Status": "Enabled", "Days": 30],
            ], on: .bucket),
        Service.oss.write(
            "PutBucketTags",
            ["bucketName": "‹bucket›", "tagging": "", "Tag": ["run": "‹build›"]], on: .bucket),
        Service.oss.read(
            "ListObjects", ["bucketName": "‹bucket›", "prefix": "‹date›/", "max-keys": 1000],
            on: .bucket
        ).asDataEvent(),
        Service.oss.read("GetObject", object("x-oss-range-behavior", "standard"), on: .bucket).asDataEvent(),
        Service.oss.write(
            "PutObject", object("Content-Length", .number(.record)), on: .bucket,
            returns: ["ETag": "‹token›", "x-oss-server-side-encryption": "KMS"]
        ).asDataEvent(),
    ]

    private static let logs: [Operation] = [
        Service.sls.read("ListProject", ["offset": 0, "size": 100]),
        Service.sls.read(
            "ListLogStores", ["ProjectName": "‹project›", "offset": 0, "size": 200], on: .project),
        Service.sls.read("GetLogStore", ["ProjectName": "‹project›", "logstore": "‹logstore›"], on: .project),
        Service.sls.read(
            "GetLogs",
            [
                "ProjectName": "‹project›", "logstore": "‹logstore›", "from": .number(.epochBefore),
                "to": .number(.epoch), "query": "level: error and build: ‹build› | select count(*) as n",
                "line": 100, "reverse": true,
            ], on: .project),
        Service.sls.read(
            "GetHistograms",
            [
                "ProjectName": "‹project›", "logstore": "‹logstore›", "from": .number(.epochBefore),
                "to": .number(.epoch), "query": "status >= 500",
            ], on: .project),
        Service.sls.write(
            "UpdateLogStore",
            ["ProjectName": "‹project›", "logstore": "‹logstore›", "ttl": 90, "shardCount": 2], on: .project),
        Service.sls.write(
            "CreateIndex",
            [
                "ProjectName": "‹project›", "logstore": "‹logstore›", "ttl": 90,
                "line": ["caseSensitive": false, "chn": false, "token": [",", " ", ":", "/"]],
            ], on: .project),
    ]

    private static let keys: [Operation] = [
        Service.kms.read("ListKeys", ["PageNumber": .number(.page), "PageSize": 50]),
        Service.kms.read("DescribeKey", ["KeyId": "‹key›"], on: .key),
        Service.kms.read("ListAliasesByKeyId", ["KeyId": "‹key›", "PageSize": 20], on: .key),
        Service.kms.read(
            "GetSecretValue",
            ["SecretName": "app/‹project›/database", "VersionStage": "ACSCurrent", "FetchExtendedConfig": false]),
        Service.kms.read(
            "Decrypt",
            ["EncryptionContext": .document(["service": "orders", "build": "‹build›"]), "CiphertextBlob": "******"],
            on: .key),
        Service.kms.read(
            "GenerateDataKey",
            ["KeyId": "‹key›", "KeySpec": "AES_256", "EncryptionContext": .document(["bucket": "‹bucket›"])],
            on: .key),
        Service.kms.write("EnableKey", ["KeyId": "‹key›"], on: .key),
        Service.kms.write("DisableKey", ["KeyId": "‹key›"], on: .key),
        Service.kms.write("ScheduleKeyDeletion", ["KeyId": "‹key›", "PendingWindowInDays": 7], on: .key),
        Service.kms.write(
            "RotateKey", ["KeyId": "‹key›", "KeyVersionId": "‹token›", "AutomaticRotation": "Enabled"], on: .key
        ).asKind(.serviceEvent),
    ]
}
