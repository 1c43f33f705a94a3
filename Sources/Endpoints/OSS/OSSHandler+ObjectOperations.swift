// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import Hummingbird
import ObjectStorage

/// Copies, appends and multipart uploads: oss.md sections 12 and 13.
extension OSSHandler {
    func run(
        _ operation: ObjectOperation, on allowed: Allowed, _ bucket: Bucket, _ key: String, _ payload: OSSPayload,
        _ body: IncomingBody
    ) async throws -> WireAnswer {
        let store = services.objects
        let name = bucket.name
        let uploadId = call.parameters["uploadId"] ?? ""
        switch operation {
        case .getACL:
            let object = try object(allowed)
            return Self.xml(
                XMLText("AccessControlPolicy") { xml in
                    owner(bucket, &xml)
                    xml.element("AccessControlList") { $0.element("Grant", object.acl.rawValue) }
                })
        case .putACL:
            guard let acl = try objectACL() else {
                throw OSSError(400, "MissingArgument", "x-oss-object-acl is needed.")
            }
            try store.setACL(acl, bucket: name, key: key, versionId: versionId)
            return WireAnswer(status: 200)
        case .getTagging: return Self.xml(Self.tagging(try object(allowed).tags))
        case .putTagging:
            try store.setTags(payload.tags, bucket: name, key: key, versionId: versionId)
            return WireAnswer(status: 200)
        case .deleteTagging:
            try store.setTags([:], bucket: name, key: key, versionId: versionId)
            return WireAnswer(status: 204)
        case .copy:
            for try await _ in body {}
            return try await copy(to: bucket, key)
        case .append: return try await append(bucket, key, body)
        case .initiateMultipart:
            for try await _ in body {}
            let upload = try store.beginMultipart(
                bucket: name, key: key, attributes: try attributes(), options: try await options(for: bucket))
            var answer = Self.xml(
                XMLText("InitiateMultipartUploadResult") { xml in
                    element("Bucket", name, &xml)
                    element("Key", key, &xml)
                    element("UploadId", upload.uploadId, &xml)
                })
            answer.headers += Self.headers(of: upload.options.encryption)
            return answer
        case .uploadPart, .uploadPartCopy:
            guard let number = call.parameters["partNumber"].flatMap({ Int($0) }) else {
                throw OSSError.invalidArgument(
                    "partNumber is no number.", name: "partNumber", value: call.parameters["partNumber"] ?? "")
            }
            guard call.request.header("x-oss-server-side-encryption") == nil else {
                throw OSSError.invalidArgument(
                    "Encryption is chosen when the upload is initiated.", name: "x-oss-server-side-encryption", value: "")
            }
            let upload = try store.multipartUpload(bucket: name, key: key, uploadId: uploadId)
            if let keyId = upload.keyId { try authorize("GenerateDataKey", key: keyId, of: bucket) }
            let writer = try store.beginPart(bucket: name, key: key, uploadId: uploadId, number: number)
            guard operation == .uploadPart else { return try await copyPart(into: writer, body) }
            let part = try await receive(body, into: writer)
            return WireAnswer(
                status: 200,
                headers: [
                    ("ETag", "\"\(part.etag)\""), ("x-oss-hash-crc64ecma", String(part.crc64)),
                    ("Content-MD5", part.md5.base64EncodedString()),
                ] + Self.headers(of: upload.options.encryption))
        case .completeMultipart:
            let collected = try await content(of: body, limit: 2 << 20)
            defer { withExtendedLifetime(collected) {} }
            let chosen = try parts(of: collected.bytes)
            let object = try store.completeMultipart(
                bucket: name, key: key, uploadId: uploadId, parts: chosen,
                forbidsOverwrite: call.request.header("x-oss-forbid-overwrite")?.lowercased() == "true")
            var answer = Self.xml(
                XMLText("CompleteMultipartUploadResult") { xml in
                    element("Location", "http://\(call.request.header("host") ?? "")/\(name)/\(key)", &xml)
                    element("Bucket", name, &xml)
                    element("Key", key, &xml)
                    xml.element("ETag", "\"\(object.etag)\"")
                })
            answer.headers += Self.receipt(of: object)
            return answer
        case .abortMultipart:
            try store.abortMultipart(bucket: name, key: key, uploadId: uploadId)
            return WireAnswer(status: 204)
        case .listParts: return try listParts(bucket, key, uploadId)
        }
    }

    /// Percent-encoded if the client asked for that.
    func element(_ name: String, _ value: String, _ xml: inout XMLText) {
        xml.element(name, call.parameters["encoding-type"] == "url" ? PercentEncoding.encode(value) : value)
    }

    /// Headers that tell what was stored.
    static func receipt(of object: StoredObject) -> [(name: String, value: String)] {
        var headers = [(name: "ETag", value: "\"\(object.etag)\""), (name: "x-oss-hash-crc64ecma", value: String(object.crc64))]
        if object.type == .normal { headers.append((name: "Content-MD5", value: object.md5.base64EncodedString())) }
        if let version = object.versionId { headers.append((name: "x-oss-version-id", value: version)) }
        return headers + Self.headers(of: object.encryption)
    }

    /// What is appended hangs on the key of what is there.
    private func append(_ bucket: Bucket, _ key: String, _ body: IncomingBody) async throws -> WireAnswer {
        if let keyId = try services.objects.object(bucket: bucket.name, key: key)?.keyId {
            try authorize("GenerateDataKey", key: keyId, of: bucket)
        }
        guard let position = call.parameters["position"].flatMap({ Int64($0) }), position >= 0 else {
            throw OSSError.invalidArgument("position is no number.", name: "position", value: call.parameters["position"] ?? "")
        }
        let writer = try services.objects.beginAppend(
            bucket: bucket.name, key: key, position: position, attributes: try attributes(),
            options: try await options(for: bucket))
        let object = try await receive(body, into: writer)
        return WireAnswer(
            status: 200, headers: Self.receipt(of: object) + [(name: "x-oss-next-append-position", value: String(object.size))])
    }

    /// Nil for `x-oss-complete-all`, which takes all that were uploaded and no body.
    private func parts(of content: [UInt8]) throws -> [PartChoice]? {
        if call.request.header("x-oss-complete-all")?.lowercased() == "yes" {
            guard content.isEmpty else {
                throw OSSError.invalidArgument(
                    "With x-oss-complete-all there is no body.", name: "x-oss-complete-all", value: "yes")
            }
            return nil
        }
        let xml = try XMLElement(parsing: content)
        guard xml.name == "CompleteMultipartUpload", !xml.children.isEmpty else { throw Self.malformed("there are no parts") }
        return try xml.children.map { part in
            guard part.name == "Part", let number = part.value("PartNumber").flatMap({ Int($0) }), let etag = part.value("ETag")
            else {
                throw Self.malformed("a part has no PartNumber or no ETag")
            }
            return PartChoice(number: number, etag: etag)
        }
    }

    private func listParts(_ bucket: Bucket, _ key: String, _ uploadId: String) throws -> WireAnswer {
        let limit = try Self.limit(call.parameters["max-parts"], name: "max-parts", default: 1000, maximum: 1000)
        let marker = call.parameters["part-number-marker"].flatMap { Int($0) } ?? 0
        let parts = try services.objects.parts(
            bucket: bucket.name, key: key, uploadId: uploadId, after: marker, limit: limit + 1)
        let page = parts.prefix(limit)
        return Self.xml(
            XMLText("ListPartsResult") { xml in
                element("Bucket", bucket.name, &xml)
                element("Key", key, &xml)
                xml.element("UploadId", uploadId)
                xml.element("PartNumberMarker", String(marker))
                xml.element("NextPartNumberMarker", String(page.last?.number ?? marker))
                xml.element("MaxParts", String(limit))
                xml.element("IsTruncated", parts.count > limit ? "true" : "false")
                for part in page {
                    xml.element("Part") { xml in
                        xml.element("PartNumber", String(part.number))
                        xml.element("LastModified", Self.bodyDate(part.modifiedAt))
                        xml.element("ETag", "\"\(part.etag)\"")
                        xml.element("Size", String(part.size))
                        xml.element("HashCrc64ecma", String(part.crc64))
                    }
                }
            })
    }
}
