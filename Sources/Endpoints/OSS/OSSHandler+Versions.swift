// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import ObjectStorage

/// Versions: oss.md sections 11 and 17. A version is named by the parameter `versionId`.
extension OSSHandler {
    /// The version that was asked for; empty for the current one.
    var versionId: String { call.parameters["versionId"] ?? "" }

    /// The object, or the version of it, that the request is about.
    ///
    /// - Throws: 404 with `x-oss-delete-marker` where a marker is the newest version; 405 for a marker that is named.
    func object(_ allowed: Allowed) throws(OSSError) -> StoredObject {
        let key = call.resource.key ?? ""
        switch allowed.found {
        case .object(let object): return object
        case .missing, nil: throw Self.missing(key, versionId: versionId)
        case .deleteMarker(let marker):
            var failure =
                versionId.isEmpty
                ? OSSError.noSuchKey(key)
                : OSSError(405, "MethodNotAllowed", "The version is a delete marker: it can only be deleted.")
            failure.headers = [("x-oss-delete-marker", "true"), ("x-oss-version-id", marker.versionId)]
            throw failure
        }
    }

    static func missing(_ key: String, versionId: String) -> OSSError {
        versionId.isEmpty ? .noSuchKey(key) : .noSuchVersion(key)
    }

    func deleteObject(_ bucket: String, _ key: String) throws -> WireAnswer {
        let outcome = try services.objects.deleteObject(bucket: bucket, key: key, versionId: versionId)
        return WireAnswer(status: 204, headers: Self.headers(of: outcome))
    }

    private static func headers(of outcome: DeleteOutcome) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        if outcome.isDeleteMarker { headers.append(("x-oss-delete-marker", "true")) }
        if let id = outcome.versionId.flatMap({ $0.isEmpty ? nil : $0 }) ?? outcome.markerVersionId {
            headers.append(("x-oss-version-id", id))
        }
        return headers
    }

    func listVersions(_ bucket: Bucket) throws -> WireAnswer {
        let limit = try Self.limit(call.parameters["max-keys"], name: "max-keys", default: 100, maximum: 1000)
        let prefix = call.parameters["prefix"] ?? ""
        let delimiter = call.parameters["delimiter"] ?? ""
        let keyMarker = call.parameters["key-marker"] ?? ""
        let idMarker = call.parameters["version-id-marker"] ?? ""
        let store = services.objects
        let page = try ListingPage<ObjectVersion>(
            CommonPrefix(prefix: prefix, delimiter: delimiter), after: ListingPosition(key: keyMarker, versionId: idMarker),
            limit: limit, position: { ListingPosition(key: $0.key, versionId: $0.versionId) },
            batch: {
                try store.versions(
                    bucket: bucket.name, prefix: prefix, afterKey: $0.key, afterVersionId: $0.versionId, limit: $1)
            })
        return Self.xml(
            XMLText("ListVersionsResult") { xml in
                if call.parameters["encoding-type"] == "url" { xml.element("EncodingType", "url") }
                xml.element("Name", bucket.name)
                element("Prefix", prefix, &xml)
                element("KeyMarker", keyMarker, &xml)
                xml.element("VersionIdMarker", idMarker)
                xml.element("MaxKeys", String(limit))
                element("Delimiter", delimiter, &xml)
                xml.element("IsTruncated", page.isTruncated ? "true" : "false")
                if page.isTruncated {
                    element("NextKeyMarker", page.last.key, &xml)
                    xml.element("NextVersionIdMarker", page.last.versionId)
                }
                for entry in page.entries { show(entry, of: bucket, &xml) }
                for group in page.commonPrefixes { xml.element("CommonPrefixes") { element("Prefix", group, &$0) } }
            })
    }

    private func show(_ entry: ObjectVersion, of bucket: Bucket, _ xml: inout XMLText) {
        func common(_ modifiedAt: Date, _ xml: inout XMLText) {
            element("Key", entry.key, &xml)
            xml.element("VersionId", entry.versionId)
            xml.element("IsLatest", entry.isLatest ? "true" : "false")
            xml.element("LastModified", Self.bodyDate(modifiedAt))
        }
        switch entry.content {
        case .object(let object):
            xml.element("Version") { xml in
                common(object.modifiedAt, &xml)
                xml.element("ETag", "\"\(object.etag)\"")
                xml.element("Type", object.type.rawValue)
                xml.element("Size", String(object.size))
                xml.element("StorageClass", object.storageClass)
                owner(bucket, &xml)
            }
        case .deleteMarker(let marker):
            xml.element("DeleteMarker") { xml in
                common(marker.modifiedAt, &xml)
                owner(bucket, &xml)
            }
        }
    }
}
