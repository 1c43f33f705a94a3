// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An operation on an object beyond putting, reading and deleting it, by its name in events.
///
/// Source: oss.md sections 12 and 13.
enum ObjectOperation: String, Sendable, CaseIterable {
    case getACL = "GetObjectAcl"
    case putACL = "PutObjectAcl"
    case getTagging = "GetObjectTagging"
    case putTagging = "PutObjectTagging"
    case deleteTagging = "DeleteObjectTagging"
    case copy = "CopyObject"
    case append = "AppendObject"
    case initiateMultipart = "InitiateMultipartUpload"
    case uploadPart = "UploadPart"
    case uploadPartCopy = "UploadPartCopy"
    case completeMultipart = "CompleteMultipartUpload"
    case abortMultipart = "AbortMultipartUpload"
    case listParts = "ListParts"

    var isWrite: Bool { self != .listParts && !rawValue.hasPrefix("Get") }

    /// The permission it needs, behind `oss:`: whatever makes an object is a put (ram.md section 5.3).
    var action: String {
        switch self {
        case .copy, .append, .initiateMultipart, .uploadPart, .uploadPartCopy, .completeMultipart: "PutObject"
        case .abortMultipart, .listParts, .getACL, .putACL, .getTagging, .putTagging, .deleteTagging: rawValue
        }
    }

    /// Nil if the request asks for none of these.
    init?(method: String, subresources: Set<String>, isCopy: Bool) {
        switch method {
        case "GET" where subresources.contains("acl"): self = .getACL
        case "PUT" where subresources.contains("acl"): self = .putACL
        case "GET" where subresources.contains("tagging"): self = .getTagging
        case "PUT" where subresources.contains("tagging"): self = .putTagging
        case "DELETE" where subresources.contains("tagging"): self = .deleteTagging
        case "PUT" where subresources.contains("uploadId") && subresources.contains("partNumber"):
            self = isCopy ? .uploadPartCopy : .uploadPart
        case "PUT" where isCopy && subresources.isDisjoint(with: ["uploadId", "partNumber"]): self = .copy
        case "POST" where subresources.contains("append"): self = .append
        case "POST" where subresources.contains("uploads"): self = .initiateMultipart
        case "POST" where subresources.contains("uploadId"): self = .completeMultipart
        case "DELETE" where subresources.contains("uploadId"): self = .abortMultipart
        case "GET" where subresources.contains("uploadId"): self = .listParts
        default: return nil
        }
    }
}
