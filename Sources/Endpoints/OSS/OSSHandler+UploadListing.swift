// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ObjectStorage

/// ListMultipartUploads: oss.md section 13.
extension OSSHandler {
    func listUploads(_ bucket: Bucket) throws -> WireAnswer {
        guard (call.parameters["delimiter"] ?? "").isEmpty else { throw OSSError.notImplemented("A delimiter of uploads") }
        let limit = try Self.limit(call.parameters["max-uploads"], name: "max-uploads", default: 1000, maximum: 1000)
        let prefix = call.parameters["prefix"] ?? ""
        let keyMarker = call.parameters["key-marker"] ?? ""
        let uploadMarker = call.parameters["upload-id-marker"] ?? ""
        let uploads = try services.objects.multipartUploads(
            bucket: bucket.name, prefix: prefix, afterKey: keyMarker, afterUploadId: uploadMarker, limit: limit + 1)
        let page = uploads.prefix(limit)
        let isTruncated = uploads.count > limit
        return Self.xml(
            XMLText("ListMultipartUploadsResult") { xml in
                if call.parameters["encoding-type"] == "url" { xml.element("EncodingType", "url") }
                xml.element("Bucket", bucket.name)
                element("KeyMarker", keyMarker, &xml)
                xml.element("UploadIdMarker", uploadMarker)
                element("NextKeyMarker", isTruncated ? page.last?.key ?? "" : "", &xml)
                xml.element("NextUploadIdMarker", isTruncated ? page.last?.uploadId ?? "" : "")
                element("Prefix", prefix, &xml)
                xml.element("Delimiter", "")
                xml.element("MaxUploads", String(limit))
                xml.element("IsTruncated", isTruncated ? "true" : "false")
                for upload in page {
                    xml.element("Upload") { xml in
                        element("Key", upload.key, &xml)
                        xml.element("UploadId", upload.uploadId)
                        xml.element("StorageClass", "Standard")
                        xml.element("Initiated", Self.bodyDate(upload.initiatedAt))
                    }
                }
            })
    }
}
