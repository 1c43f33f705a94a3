// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An operation on an object beyond putting, reading and deleting it, by its name in events.
///
/// Source: oss.md sections 12 and 13.
enum ObjectOperation: String, Sendable, CaseIterable {
    case copy = "CopyObject"
    case append = "AppendObject"
    case initiateMultipart = "InitiateMultipartUpload"
    case uploadPart = "UploadPart"
    case completeMultipart = "CompleteMultipartUpload"
    case abortMultipart = "AbortMultipartUpload"
    case listParts = "ListParts"

    var isWrite: Bool { self != .listParts }

    /// The permission it needs, behind `oss:`: whatever makes an object is a put (ram.md section 5.3).
    var action: String {
        switch self {
        case .copy, .append, .initiateMultipart, .uploadPart, .completeMultipart: "PutObject"
        case .abortMultipart, .listParts: rawValue
        }
    }

    /// Nil if the request asks for none of these.
    init?(method: String, subresources: Set<String>, isCopy: Bool) {
        switch method {
        case "PUT" where subresources.contains("uploadId") && subresources.contains("partNumber") && !isCopy: self = .uploadPart
        case "PUT" where isCopy && subresources.isDisjoint(with: ["uploadId", "partNumber", "acl", "tagging"]): self = .copy
        case "POST" where subresources.contains("append"): self = .append
        case "POST" where subresources.contains("uploads"): self = .initiateMultipart
        case "POST" where subresources.contains("uploadId"): self = .completeMultipart
        case "DELETE" where subresources.contains("uploadId"): self = .abortMultipart
        case "GET" where subresources.contains("uploadId"): self = .listParts
        default: return nil
        }
    }
}
