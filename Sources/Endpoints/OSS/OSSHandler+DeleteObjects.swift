// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import ObjectStorage

/// DeleteMultipleObjects: all of the keys, or none if one of them is protected (oss.md sections 11 and 14).
extension OSSHandler {
    private static let keyLimit = 1000

    /// What a body of DeleteMultipleObjects names.
    struct Deletions {
        var names: [(key: String, versionId: String?)] = []
        var isQuiet = false
    }

    /// - Throws: as well for the first key that the caller may not delete.
    func deletions(_ content: [UInt8], from bucket: Bucket) throws -> Deletions {
        guard call.request.header("content-md5") != nil else {
            throw OSSError(400, "MissingArgument", "Content-MD5 is needed to delete objects.")
        }
        let xml = try XMLElement(parsing: content)
        let names = xml.children.filter { $0.name == "Object" }.compactMap { object in
            object["Key"].map { (key: $0.text, versionId: object.value("VersionId")) }
        }
        guard xml.name == "Delete", !names.isEmpty, names.count <= Self.keyLimit else {
            throw Self.malformed("Delete names 1 to \(Self.keyLimit) objects")
        }
        for name in names {
            let operation = OSSOperation.deleteObject(bucket: bucket.name, key: name.key)
            _ = try authorize(operation, on: .object(bucket: bucket.name, key: name.key), versionId: name.versionId)
        }
        return Deletions(names: names, isQuiet: xml.value("Quiet")?.lowercased() == "true")
    }

    func deleteObjects(_ bucket: Bucket, _ deletions: Deletions) throws -> WireAnswer {
        let outcomes = try services.objects.deleteObjects(bucket: bucket.name, deletions.names)
        guard !deletions.isQuiet else { return WireAnswer(status: 200) }
        let isEncoded = call.parameters["encoding-type"] == "url"
        return Self.xml(
            XMLText("DeleteResult") { xml in
                if isEncoded { xml.element("EncodingType", "url") }
                for outcome in outcomes {
                    xml.element("Deleted") { xml in
                        element("Key", outcome.key, &xml)
                        if let id = outcome.versionId { xml.element("VersionId", id) }
                        guard let marker = outcome.markerVersionId else { return }
                        xml.element("DeleteMarker", "true")
                        xml.element("DeleteMarkerVersionId", marker)
                    }
                }
            })
    }
}
