// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import ObjectStorage

/// CopyObject and UploadPartCopy: oss.md sections 12 and 13.
extension OSSHandler {
    /// The object of `x-oss-copy-source`, which is read under its own bucket's policies: a decision of its own.
    private func copySource() throws -> StoredObject {
        let text = call.request.header("x-oss-copy-source") ?? ""
        let (path, query) = text.splitAtFirst(UInt8(ascii: "?"))
        let malformed = OSSError.invalidArgument("The copy source is malformed.", name: "x-oss-copy-source", value: text)
        let parameters: WireParameters
        do { parameters = try WireParameters(decoding: query ?? "") } catch { throw malformed }
        guard parameters.all.allSatisfy({ $0.name == "versionId" }),
            let source = try? OSSAddressing().resource(host: "", rawPath: path), case .object(let bucket, let key) = source
        else { throw malformed }
        let version = parameters["versionId"]
        let allowed = try authorize(.getObject(bucket: bucket, key: key), on: source, versionId: version)
        guard let from = allowed.bucket else { throw OSSError.noSuchBucket(bucket) }
        guard case .object(let object)? = allowed.found else { throw Self.missing(key, versionId: version ?? "") }
        if let keyId = object.keyId { try authorize("Decrypt", key: keyId, of: from) }
        // Here what has not changed is a refusal as well: there is no copy to answer with.
        if try judgeConditions(object, prefix: "x-oss-copy-source-") != nil { throw Self.preconditionFailed }
        return object
    }

    func copy(to bucket: Bucket, _ key: String) async throws -> WireAnswer {
        let request = call.request
        let source = try copySource()
        var options = try await options(for: bucket)
        if !replacesTags {
            options.tags = source.tags
            if !source.tags.isEmpty { try authorizeTags(of: source) }
        }
        let replaces = request.header("x-oss-metadata-directive")?.uppercased() == "REPLACE"
        let copy = try await services.objects.copyObject(
            source, toBucket: bucket.name, key: key, attributes: replaces ? try attributes() : nil, options: options)
        var answer = Self.xml(
            XMLText("CopyObjectResult") { xml in
                xml.element("ETag", "\"\(copy.etag)\"")
                xml.element("LastModified", Self.bodyDate(copy.modifiedAt))
            })
        if let version = source.versionId { answer.headers.append(("x-oss-copy-source-version-id", version)) }
        answer.headers += Self.receipt(of: copy)
        return answer
    }

    var replacesTags: Bool { call.request.header("x-oss-tagging-directive")?.uppercased() == "REPLACE" }

    /// They are read there and stored here.
    private func authorizeTags(of source: StoredObject) throws {
        _ = try authorize(
            .objectOperation(.getTagging), on: .object(bucket: source.bucket, key: source.key), versionId: nil)
        _ = try authorize(.objectOperation(.copy), on: call.resource, versionId: nil, tags: source.tags)
    }

    /// A part made of an object, or of a range of it.
    func copyPart(into writer: PartWriter, _ body: IncomingBody) async throws -> WireAnswer {
        let part: StoredPart
        do {
            for try await _ in body {}
            let source = try copySource()
            var range = 0..<source.size
            if let text = call.request.header("x-oss-copy-source-range") {
                guard case .part(let wanted) = ByteRange(text, size: source.size, isStandard: false) else {
                    throw OSSError.invalidArgument(
                        "The range is malformed, or beyond the source.", name: "x-oss-copy-source-range", value: text)
                }
                range = wanted
            }
            guard range.count <= Self.objectLimit else { throw OSSError(400, "EntityTooLarge", "A part is at most 5 GB.") }
            try await services.objects.read(source, range: range) { bytes in
                try bytes.withUnsafeBytes { try writer.append($0) }
            }
            part = try writer.finish(expectedMD5: nil, expectedCRC64: nil)
        } catch {
            writer.abandon()
            throw error
        }
        var answer = Self.xml(
            XMLText("CopyPartResult") { xml in
                xml.element("LastModified", Self.bodyDate(part.modifiedAt))
                xml.element("ETag", "\"\(part.etag)\"")
            })
        answer.headers += [("ETag", "\"\(part.etag)\""), ("x-oss-hash-crc64ecma", String(part.crc64))]
        return answer
    }
}
