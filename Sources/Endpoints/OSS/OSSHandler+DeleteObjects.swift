// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import ObjectStorage

/// DeleteMultipleObjects: all of the keys, or none if one of them is protected (oss.md sections 11 and 14).
extension OSSHandler {
    private static let keyLimit = 1000

    func deleteObjects(_ bucket: Bucket, _ content: [UInt8]) throws -> WireAnswer {
        guard call.request.header("content-md5") != nil else {
            throw OSSError(400, "MissingArgument", "Content-MD5 is needed to delete objects.")
        }
        let xml = try XMLElement(parsing: content)
        let keys = xml.children.filter { $0.name == "Object" }.compactMap { $0["Key"]?.text }
        guard xml.name == "Delete", !keys.isEmpty, keys.count <= Self.keyLimit else {
            throw Self.malformed("Delete names 1 to \(Self.keyLimit) objects")
        }
        guard xml.children.allSatisfy({ $0.value("VersionId") == nil }) else {
            throw OSSError.notImplemented("Deleting versions")
        }
        for key in keys {
            _ = try authorize(.deleteObject(bucket: bucket.name, key: key), on: .object(bucket: bucket.name, key: key))
        }
        _ = try services.objects.deleteObjects(bucket: bucket.name, keys.map { ($0, nil) })
        guard xml.value("Quiet")?.lowercased() != "true" else { return WireAnswer(status: 200) }
        let isEncoded = call.parameters["encoding-type"] == "url"
        return Self.xml(
            XMLText("DeleteResult") { xml in
                if isEncoded { xml.element("EncodingType", "url") }
                for key in keys { xml.element("Deleted") { element("Key", key, &$0) } }
            })
    }
}
