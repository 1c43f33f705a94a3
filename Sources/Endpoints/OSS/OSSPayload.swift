// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import ObjectStorage

/// What the body of a call brings that has to be known before it can be allowed.
struct OSSPayload {
    var deletions = OSSHandler.Deletions()
    var tags: [String: String] = [:]
}

extension OSSHandler {
    /// Reads the body of the calls whose permission hangs on it, and asks for that permission.
    func payload(of operation: OSSOperation, on bucket: Bucket?, _ body: IncomingBody) async throws -> OSSPayload {
        var payload = OSSPayload()
        guard let bucket else { return payload }
        switch operation {
        case .deleteObjects:
            let content = try await content(of: body, limit: 2 << 20)
            defer { withExtendedLifetime(content) {} }
            payload.deletions = try deletions(content.bytes, from: bucket)
        case .objectOperation(.putTagging):
            let content = try await content(of: body)
            defer { withExtendedLifetime(content) {} }
            payload.tags = try tags(XMLElement(parsing: content.bytes), ofObject: true)
            _ = try authorize(operation, on: call.resource, versionId: versionId, tags: payload.tags)
        default: break
        }
        return payload
    }
}
