// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import ObjectStorage

/// May the caller do this? The caller's own policies and the bucket's are asked; where neither speaks, the ACL of the
/// object, then of the bucket.
extension OSSHandler {
    /// What an operation is about, as it was when it was allowed.
    struct Allowed: Sendable {
        /// Nil for operations of the service, and for a bucket still to be made.
        var bucket: Bucket?
        /// What the key, or the version that is named, stands for; nil where none is, or none was asked for yet.
        var found: ObjectLookup?
    }

    /// - Throws: `AccessDenied`, `NoSuchBucket`.
    func authorize(_ operation: OSSOperation) throws -> Allowed {
        switch operation {
        // Each key, or the tags, have to be allowed; that is asked when they are known.
        case .deleteObjects(let name):
            guard let bucket = try services.objects.bucket(name) else { throw OSSError.noSuchBucket(name) }
            if caller.kind == .anonymous, bucket.policy == nil, bucket.acl != .publicReadWrite {
                // Nothing could allow it, so nothing is read.
                try decide([operation.action], for: operation, on: "acs:oss:*:\(bucket.owner):\(name)", bucket)
            }
            return Allowed(bucket: bucket)
        case .objectOperation(.putTagging):
            guard let name = call.resource.bucket, let bucket = try services.objects.bucket(name) else {
                throw OSSError.noSuchBucket(call.resource.bucket ?? "")
            }
            if caller.kind == .anonymous, bucket.policy == nil { fallthrough }
            return Allowed(bucket: bucket)
        default:
            // A version counts where the operation is on one: else on the current object.
            let versionId = Self.versionedActions[operation.action] == nil ? nil : call.parameters["versionId"]
            return try authorize(operation, on: call.resource, versionId: versionId, tags: try tagsToStore(operation))
        }
    }

    /// Those of the header, where the operation keeps them.
    private func tagsToStore(_ operation: OSSOperation) throws -> [String: String] {
        switch operation {
        case .objectOperation(.copy) where !replacesTags: [:]
        case .putObject, .objectOperation(.copy), .objectOperation(.append), .objectOperation(.initiateMultipart):
            try tagsOfHeader()
        default: [:]
        }
    }

    /// - Parameters:
    ///   - versionId: of the object, if one is named: that needs `…Version` of the action as well.
    ///   - tags: that the object is to get.
    func authorize(
        _ operation: OSSOperation, on target: OSSResource, versionId: String?, tags: [String: String] = [:]
    ) throws -> Allowed {
        guard let name = target.bucket else {
            try decide([operation.action], for: operation, on: "acs:oss:*:\(caller.accountId):*", nil)
            return Allowed()
        }
        var actions = [operation.action]
        let bucket = try services.objects.bucket(name)
        if case .putBucket = operation, let acl = call.request.header("x-oss-acl"), bucket != nil || acl != "private" {
            actions.append("PutBucketAcl")
        }
        guard let bucket else {
            guard case .putBucket = operation else { throw OSSError.noSuchBucket(name) }
            try decide(actions, for: operation, on: "acs:oss:*:\(caller.accountId):\(name)", nil)
            return Allowed()
        }
        // Names are one account's each; that one is taken is no secret.
        if case .putBucket = operation, bucket.owner != caller.accountId { throw ObjectError.bucketAlreadyExists(name) }
        let path = target.key.map { name + "/" + $0 } ?? name
        if operation.isContent {
            if call.request.header("x-oss-object-acl") != nil { actions.append("PutObjectAcl") }
            if !tags.isEmpty { actions.append("PutObjectTagging") }
        }
        if let versionId, !versionId.isEmpty, let action = Self.versionedActions[operation.action] { actions.append(action) }
        // The tags and the ACL of what is there already have a say.
        let found = try target.key.map { try services.objects.lookup(bucket: name, key: $0, versionId: versionId) }
        var object: StoredObject?
        if case .object(let existing)? = found { object = existing }
        try decide(actions, for: operation, on: "acs:oss:*:\(bucket.owner):\(path)", bucket, object, tags: tags)
        return Allowed(bucket: bucket, found: found)
    }

    private static let versionedActions = [
        "GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion", "GetObjectAcl": "GetObjectVersionAcl",
        "PutObjectAcl": "PutObjectVersionAcl", "GetObjectTagging": "GetObjectVersionTagging",
        "PutObjectTagging": "PutObjectVersionTagging", "DeleteObjectTagging": "DeleteObjectVersionTagging",
    ]

    private func decide(
        _ actions: [String], for operation: OSSOperation, on resource: String, _ bucket: Bucket?,
        _ object: StoredObject? = nil, tags: [String: String] = [:]
    ) throws {
        var conditions: [String: [String]] = [:]
        if operation.isList {
            conditions["oss:Prefix"] = [call.parameters["prefix"] ?? ""]
            conditions["oss:Delimiter"] = [call.parameters["delimiter"] ?? ""]
        }
        for (key, value) in bucket?.tags ?? [:] { conditions["oss:BucketTag/" + key] = [value] }
        for (key, value) in object?.tags ?? [:] { conditions["oss:ExistingObjectTag/" + key] = [value] }
        for (key, value) in tags { conditions["oss:RequestObjectTag/" + key] = [value] }
        let policy = try bucket.flatMap { bucket in
            try bucket.policy.map { ResourcePolicy(try PolicyDocument(parsing: $0, as: .bucket), owner: bucket.owner) }
        }
        let verdict = try services.authorizer.decide(
            caller, actions.map { AccessRequest("oss:" + $0, on: resource, conditions: conditions) },
            in: RequestCircumstances(call.request, at: services.wireNow), resourcePolicy: policy)
        switch verdict {
        case .allowed: return
        case .undecided where actions.count == 1 && Self.acl(of: object, in: bucket).allows(operation): return
        case .denied(let denial), .undecided(let denial): throw OSSError(denial)
        }
    }

    /// That of the object, if it has one of its own; else the bucket's.
    private static func acl(of object: StoredObject?, in bucket: Bucket?) -> CannedACL {
        if let object, object.acl != .inherited { return object.acl }
        return bucket?.acl ?? .private
    }
}

extension CannedACL {
    /// What an ACL opens to everybody. Source: oss.md section 11.
    fileprivate func allows(_ operation: OSSOperation) -> Bool {
        switch (self, operation) {
        case (.publicRead, .getObject), (.publicRead, .headObject), (.publicRead, .getObjectMeta), (.publicRead, .listObjects),
            (.publicRead, .listObjectsV2):
            true
        case (.publicReadWrite, .putObject), (.publicReadWrite, .deleteObject), (.publicReadWrite, .deleteObjects): true
        case (.publicReadWrite, .objectOperation(let operation)):
            operation.action == "PutObject" || operation == .abortMultipart || operation == .listParts
        case (.publicReadWrite, _): CannedACL.publicRead.allows(operation)
        default: false
        }
    }
}

extension OSSError {
    /// Source: ram.md section 3.
    init(_ denial: AccessDenial) {
        self.init(
            403, "AccessDenied", "You have no right to access this object because of bucket acl.",
            details: [
                ("AuthAction", denial.action), ("AuthPrincipalType", denial.principalType),
                ("AuthPrincipalDisplayName", denial.principalName), ("AuthPrincipalOwnerId", denial.principalAccount),
                ("NoPermissionType", denial.kind.rawValue), ("PolicyType", denial.policyType),
                ("EncodedDiagnosticMessage", denial.encodedDiagnosticMessage),
            ], detailCode: "0003-00000001")
        if denial.kind == .explicitDeny { message = "Access denied: \(denial.reason)." }
    }
}
