// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import ObjectStorage

/// May the caller do this? The caller's own policies and the bucket's are asked; where neither speaks, the bucket's ACL.
extension OSSHandler {
    /// - Returns: the bucket that the operation is about; nil for those of the service, and for one still to be made.
    /// - Throws: `AccessDenied`, `NoSuchBucket`.
    func authorize(_ operation: OSSOperation) throws -> Bucket? {
        // Each key has to be allowed; that is asked when they are known.
        if case .deleteObjects(let name) = operation { return try services.objects.bucket(name) }
        return try authorize(operation, on: call.resource)
    }

    func authorize(_ operation: OSSOperation, on target: OSSResource) throws -> Bucket? {
        guard let name = target.bucket else {
            try decide(operation, on: "acs:oss:*:\(caller.accountId):*", nil)
            return nil
        }
        guard let bucket = try services.objects.bucket(name) else {
            guard case .putBucket = operation else { throw OSSError.noSuchBucket(name) }
            try decide(operation, on: "acs:oss:*:\(caller.accountId):\(name)", nil)
            return nil
        }
        // Names are one account's each; that one is taken is no secret.
        if case .putBucket = operation, bucket.owner != caller.accountId { throw ObjectError.bucketAlreadyExists(name) }
        let path = target.key.map { name + "/" + $0 } ?? name
        try decide(operation, on: "acs:oss:*:\(bucket.owner):\(path)", bucket)
        return bucket
    }

    private func decide(_ operation: OSSOperation, on resource: String, _ bucket: Bucket?) throws {
        var conditions: [String: [String]] = [:]
        if let prefix = call.parameters["prefix"] { conditions["oss:Prefix"] = [prefix] }
        if let delimiter = call.parameters["delimiter"] { conditions["oss:Delimiter"] = [delimiter] }
        let policy = try bucket.flatMap { bucket in
            try bucket.policy.map { ResourcePolicy(try PolicyDocument(parsing: $0, as: .bucket), owner: bucket.owner) }
        }
        let verdict = try services.authorizer.decide(
            caller, [AccessRequest("oss:" + operation.action, on: resource, conditions: conditions)],
            in: RequestCircumstances(call.request, at: services.wireNow), resourcePolicy: policy)
        switch verdict {
        case .allowed: return
        case .undecided where bucket?.acl.allows(operation) ?? false: return
        case .denied(let denial), .undecided(let denial): throw OSSError(denial)
        }
    }
}

extension CannedACL {
    /// What an ACL opens to everybody. Source: oss.md section 11.
    fileprivate func allows(_ operation: OSSOperation) -> Bool {
        switch (self, operation) {
        case (.publicRead, .getObject), (.publicRead, .headObject), (.publicRead, .getObjectMeta), (.publicRead, .listObjects),
            (.publicRead, .listObjectsV2):
            true
        case (.publicReadWrite, .putObject), (.publicReadWrite, .deleteObject), (.publicReadWrite, .objectOperation): true
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
