// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// Which operation a request asks for; source: oss.md sections 11 and 12.
enum OSSOperation: Sendable {
    case listBuckets
    case putBucket(String)
    case deleteBucket(String)
    case getBucketInfo(String)
    case getBucketLocation(String)
    case bucketSetting(BucketSetting)
    case deleteObjects(String)
    case listMultipartUploads(String)
    case objectOperation(ObjectOperation)
    case listObjects(String)
    case listObjectsV2(String)
    case listObjectVersions(String)
    case putObject(bucket: String, key: String)
    case getObject(bucket: String, key: String)
    case headObject(bucket: String, key: String)
    case getObjectMeta(bucket: String, key: String)
    case deleteObject(bucket: String, key: String)

    /// Sub-resources of operations that are not built, and of those above where the method does not fit: they must not
    /// be taken for the plain operation.
    private static let unbuilt: Set<String> = [
        "acl", "append", "cors", "delete", "encryption", "legalHold", "lifecycle", "logging", "objectWorm", "policy",
        "policyStatus", "publicAccessBlock", "referer", "replication", "requestPayment", "restore", "retention", "stat",
        "symlink", "tagging", "transferAcceleration", "uploadId", "uploads", "versioning", "versions", "website",
        "worm", "wormExtend", "wormId", "x-oss-process", "inventory", "resourceGroup",
    ]

    init(_ call: OSSRequest) throws(OSSError) {
        let names = Set(call.parameters.all.map(\.name))
        if case .bucket = call.resource, let setting = BucketSetting(method: call.request.method, subresources: names) {
            self = .bucketSetting(setting)
            return
        }
        if case .object = call.resource,
            let operation = ObjectOperation(
                method: call.request.method, subresources: names, isCopy: call.request.header("x-oss-copy-source") != nil)
        {
            self = .objectOperation(operation)
            return
        }
        if call.request.method == "GET", case .bucket(let name) = call.resource, names.contains("uploads") {
            self = .listMultipartUploads(name)
            return
        }
        if call.request.method == "GET", case .bucket(let name) = call.resource, names.contains("versions") {
            self = .listObjectVersions(name)
            return
        }
        if call.request.method == "POST", case .bucket(let name) = call.resource, names.contains("delete") {
            self = .deleteObjects(name)
            return
        }
        if let name = names.intersection(Self.unbuilt).sorted().first { throw .notImplemented("The sub-resource \(name)") }
        switch (call.request.method, call.resource) {
        case ("GET", .service): self = .listBuckets
        case ("PUT", .bucket(let name)): self = .putBucket(name)
        case ("DELETE", .bucket(let name)): self = .deleteBucket(name)
        case ("GET", .bucket(let name)) where names.contains("bucketInfo"): self = .getBucketInfo(name)
        case ("GET", .bucket(let name)) where names.contains("location"): self = .getBucketLocation(name)
        case ("GET", .bucket(let name)):
            self = call.parameters["list-type"] == "2" ? .listObjectsV2(name) : .listObjects(name)
        case ("PUT", .object(let bucket, let key)):
            if call.request.header("x-oss-copy-source") != nil { throw .notImplemented("CopyObject") }
            self = .putObject(bucket: bucket, key: key)
        case ("GET", .object(let bucket, let key)): self = .getObject(bucket: bucket, key: key)
        case ("HEAD", .object(let bucket, let key)):
            self = names.contains("objectMeta") ? .getObjectMeta(bucket: bucket, key: key) : .headObject(bucket: bucket, key: key)
        case ("DELETE", .object(let bucket, let key)): self = .deleteObject(bucket: bucket, key: key)
        case ("POST", _): throw .notImplemented("This operation")
        default: throw OSSError(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        }
    }

    /// The operation's name in events.
    var eventName: String {
        switch self {
        case .listBuckets: "ListBuckets"
        case .putBucket: "PutBucket"
        case .deleteBucket: "DeleteBucket"
        case .getBucketInfo: "GetBucketInfo"
        case .getBucketLocation: "GetBucketLocation"
        case .bucketSetting(let setting): setting.rawValue
        case .deleteObjects: "DeleteMultipleObjects"
        case .listMultipartUploads: "ListMultipartUploads"
        case .objectOperation(let operation): operation.rawValue
        case .listObjects: "ListObjects"
        case .listObjectsV2: "ListObjectsV2"
        case .listObjectVersions: "ListObjectVersions"
        case .putObject: "PutObject"
        case .getObject: "GetObject"
        case .headObject: "HeadObject"
        case .getObjectMeta: "GetObjectMeta"
        case .deleteObject: "DeleteObject"
        }
    }

    var isWrite: Bool {
        switch self {
        case .putBucket, .deleteBucket, .putObject, .deleteObject, .deleteObjects: true
        case .bucketSetting(let setting): setting.isWrite
        case .objectOperation(let operation): operation.isWrite
        default: false
        }
    }

    /// Whether it makes or takes away content, and nothing else: a data event.
    var isContent: Bool {
        switch self {
        case .putObject: true
        case .objectOperation(let operation): operation.action == "PutObject"
        default: false
        }
    }

    /// Whether `oss:Prefix` and `oss:Delimiter` are about it.
    var isList: Bool {
        switch self {
        case .listObjects, .listObjectsV2, .listObjectVersions, .listMultipartUploads: true
        default: false
        }
    }

    /// The permission it needs, behind `oss:`: both lists are one action, and so are all ways to read an object.
    var action: String {
        switch self {
        case .listObjectsV2: "ListObjects"
        case .headObject, .getObjectMeta: "GetObject"
        case .deleteObjects: "DeleteObject"
        case .objectOperation(let operation): operation.action
        default: eventName
        }
    }
}
