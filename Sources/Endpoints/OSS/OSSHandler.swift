// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Crypto
import Foundation
import Hummingbird
import NIOCore
import ObjectStorage

/// Carries out one OSS call for a caller who is known.
struct OSSHandler: Sendable {
    static let objectLimit: Int64 = 5 << 30

    let services: EndpointServices
    let call: OSSRequest
    let caller: Caller

    /// - Parameters:
    ///   - allowed: what ``authorize(_:)`` gave.
    ///   - payload: what ``payload(of:on:_:)`` gave.
    func run(
        _ operation: OSSOperation, on allowed: Allowed, _ payload: OSSPayload, _ body: IncomingBody
    ) async throws -> WireAnswer {
        func bucket(_ name: String) throws(OSSError) -> Bucket {
            guard let bucket = allowed.bucket, bucket.name == name else { throw .noSuchBucket(name) }
            return bucket
        }
        switch operation {
        case .listBuckets: return try listBuckets()
        case .putBucket(let name): return try await putBucket(name, body)
        case .deleteBucket(let name):
            _ = try bucket(name)
            try services.objects.deleteBucket(name)
            return WireAnswer(status: 204)
        case .getBucketInfo(let name): return bucketInfo(try bucket(name))
        case .getBucketLocation(let name):
            let region = try bucket(name).region
            return Self.xml(XMLText(leaf: "LocationConstraint", "oss-" + region))
        case .listMultipartUploads(let name): return try listUploads(try bucket(name))
        case .deleteObjects(let name): return try deleteObjects(try bucket(name), payload.deletions)
        case .objectOperation(let operation):
            guard case .object(let name, let key) = call.resource else { throw OSSError.noSuchKey("") }
            return try await run(operation, on: allowed, try bucket(name), key, payload, body)
        case .bucketSetting(let setting): return try await run(setting, try bucket(call.resource.bucket ?? ""), body)
        case .listObjects(let name):
            return try ObjectListing(call, bucket: try bucket(name), isVersion2: false).answer(services.objects)
        case .listObjectsV2(let name):
            return try ObjectListing(call, bucket: try bucket(name), isVersion2: true).answer(services.objects)
        case .listObjectVersions(let name): return try listVersions(try bucket(name))
        case .putObject(let name, let key): return try await putObject(try bucket(name), key, body)
        case .getObject(let name, _), .headObject(let name, _): return try getObject(try object(allowed), of: try bucket(name))
        case .getObjectMeta:
            let object = try object(allowed)
            return WireAnswer(
                status: 200,
                headers: [
                    ("ETag", "\"\(object.etag)\""), ("Content-Length", String(object.size)),
                    ("Last-Modified", OSSPort.httpDate(object.modifiedAt)),
                ])
        case .deleteObject(let name, let key): return try deleteObject(try bucket(name).name, key)
        }
    }

    static func xml(_ text: XMLText, status: Int = 200) -> WireAnswer {
        WireAnswer(status: status, headers: [("Content-Type", "application/xml")], body: text.bytes)
    }

    // MARK: Buckets

    private func listBuckets() throws -> WireAnswer {
        let prefix = call.parameters["prefix"] ?? ""
        let marker = call.parameters["marker"] ?? ""
        let limit = try Self.limit(call.parameters["max-keys"], name: "max-keys", default: 100, maximum: 1000)
        let all = try services.objects.buckets(owner: caller.accountId)
            .filter { $0.name.hasPrefix(prefix) && $0.name > marker }
        let page = all.prefix(limit)
        return Self.xml(
            XMLText("ListAllMyBucketsResult") { xml in
                if all.count > limit {
                    xml.element("Prefix", prefix)
                    xml.element("Marker", marker)
                    xml.element("MaxKeys", String(limit))
                    xml.element("IsTruncated", "true")
                    xml.element("NextMarker", page.last?.name ?? "")
                }
                Self.owner(caller.accountId, &xml)
                xml.element("Buckets") { xml in
                    for bucket in page { xml.element("Bucket") { describe(bucket, &$0) } }
                }
            })
    }

    func owner(_ bucket: Bucket, _ xml: inout XMLText) { Self.owner(bucket.owner, &xml) }

    static func owner(_ account: String, _ xml: inout XMLText) {
        xml.element("Owner") { xml in
            xml.element("ID", account)
            xml.element("DisplayName", account)
        }
    }

    private func describe(_ bucket: Bucket, _ xml: inout XMLText) {
        xml.element("CreationDate", Self.bodyDate(bucket.createdAt))
        xml.element("ExtranetEndpoint", call.request.header("host") ?? "")
        xml.element("IntranetEndpoint", call.request.header("host") ?? "")
        xml.element("Location", "oss-" + bucket.region)
        xml.element("Name", bucket.name)
        xml.element("Region", bucket.region)
        xml.element("StorageClass", "Standard")
    }

    private func putBucket(_ name: String, _ body: IncomingBody) async throws -> WireAnswer {
        let acl = try cannedACL()
        // A storage class or redundancy is accepted and has no meaning here.
        for try await _ in body {}
        _ = try services.objects.createBucket(name, owner: caller.accountId, acl: acl, storageClass: nil, redundancy: nil)
        return WireAnswer(status: 200, headers: [("Location", "/" + name)])
    }

    private func bucketInfo(_ bucket: Bucket) -> WireAnswer {
        Self.xml(
            XMLText("BucketInfo") { xml in
                xml.element("Bucket") { xml in
                    describe(bucket, &xml)
                    xml.element("DataRedundancyType", "LRS")
                    owner(bucket, &xml)
                    xml.element("AccessControlList") { $0.element("Grant", bucket.acl.rawValue) }
                    xml.element("ServerSideEncryptionRule") { xml in
                        if let rule = bucket.encryption { Self.describe(rule, &xml) } else { xml.element("SSEAlgorithm", "None") }
                    }
                    if let versioning = bucket.versioning { xml.element("Versioning", versioning.rawValue) }
                    xml.element("Comment", "")
                }
            })
    }

    /// `YYYY-MM-DDThh:mm:ss.000Z`: exactly three zeros (oss.md section 17).
    static func bodyDate(_ date: Date) -> String { String(wireTime(date).dropLast()) + ".000Z" }

    static func limit(_ text: String?, name: String, default value: Int, maximum: Int) throws(OSSError) -> Int {
        guard let text, !text.isEmpty else { return value }
        guard let number = Int(text), (1...maximum).contains(number) else {
            throw .invalidArgument("Argument \(name) must be from 1 to \(maximum).", name: name, value: text)
        }
        return number
    }

    // MARK: Objects

    static let preconditionFailed = OSSError(
        412, "PreconditionFailed", "At least one of the preconditions you specified did not hold.")

    private func putObject(_ bucket: Bucket, _ key: String, _ body: IncomingBody) async throws -> WireAnswer {
        let writer = try services.objects.beginPut(
            bucket: bucket.name, key: key, attributes: try attributes(), options: try await options(for: bucket))
        let object = try await receive(body, into: writer)
        return WireAnswer(status: 200, headers: Self.receipt(of: object))
    }

    /// What a request that makes an object asks for, once the caller may use the key that it will hang on.
    func options(for bucket: Bucket) async throws -> PutOptions {
        let request = call.request
        for header in request.headers where header.name.lowercased().hasPrefix("x-oss-object-worm-") {
            throw OSSError.notImplemented("The header \(header.name)")
        }
        var options = PutOptions()
        options.tags = try tagsOfHeader()
        options.acl = try objectACL() ?? .inherited
        options.storageClass = try Self.storageClass(request.header("x-oss-storage-class"))
        options.encryption = try encryptionOfHeaders()
        if let choice = options.encryption ?? bucket.encryption, choice.algorithm == .kms {
            try authorize("GenerateDataKey", key: try await keyId(of: choice, in: bucket), of: bucket)
        }
        options.forbidsOverwrite = request.header("x-oss-forbid-overwrite")?.lowercased() == "true"
        return options
    }

    /// Kept as told, without meaning on one machine.
    private static func storageClass(_ text: String?) throws(OSSError) -> String? {
        guard let text else { return nil }
        guard ["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"].contains(text) else {
            throw .invalidArgument("There is no such storage class.", name: "x-oss-storage-class", value: text)
        }
        return text
    }

    /// Takes a body in as content, whole or not at all.
    func receive<Result>(_ body: IncomingBody, into writer: ContentWriter<Result>) async throws -> Result {
        let request = call.request
        var expectedMD5: [UInt8]?
        var expectedCRC64: UInt64?
        do {
            if let text = request.header("x-oss-hash-crc64ecma") {
                guard let value = UInt64(text) else { throw OSSError(400, "InvalidCRC64", "x-oss-hash-crc64ecma is no number.") }
                expectedCRC64 = value
            }
            if let text = request.header("content-md5") {
                guard let data = Data(base64Encoded: text), data.count == 16 else {
                    throw OSSError(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
                }
                expectedMD5 = [UInt8](data)
            }
            var size: Int64 = 0
            while let buffer = try await Self.next(of: body) {
                size += Int64(buffer.readableBytes)
                guard size <= Self.objectLimit else {
                    throw OSSError(400, "EntityTooLarge", "Content put at once is at most 5 GB.")
                }
                try buffer.withUnsafeReadableBytes { try writer.append($0) }
            }
            if let length = request.header("content-length").flatMap(Int64.init), length != size {
                throw OSSError(400, "IncompleteBody", "The body is shorter than its Content-Length.")
            }
        } catch {
            writer.abandon()
            throw error
        }
        return try writer.finish(expectedMD5: expectedMD5, expectedCRC64: expectedCRC64)
    }

    private static func next(of body: IncomingBody) async throws(OSSError) -> ByteBuffer? {
        do { return try await body.next() } catch { throw OSSError(400, "IncompleteBody", "The body ended early.") }
    }

    func attributes() throws(OSSError) -> ObjectAttributes {
        let request = call.request
        var attributes = ObjectAttributes(contentType: request.header("content-type") ?? "application/octet-stream")
        attributes.contentEncoding = request.header("content-encoding")
        attributes.cacheControl = request.header("cache-control")
        attributes.contentDisposition = request.header("content-disposition")
        attributes.expires = request.header("expires")
        var size = 0
        for header in request.headers {
            let name = header.name.lowercased()
            guard name.hasPrefix("x-oss-meta-") else { continue }
            attributes.userMetadata[String(name.dropFirst("x-oss-meta-".count))] = header.value
            size += name.utf8.count + header.value.utf8.count
        }
        guard size <= 8 << 10 else { throw OSSError(400, "InvalidArgument", "User metadata is at most 8 KB.") }
        return attributes
    }

    private func getObject(_ object: StoredObject, of bucket: Bucket) throws -> WireAnswer {
        if call.request.method == "GET", let keyId = object.keyId { try authorize("Decrypt", key: keyId, of: bucket) }
        if let answer = try judgeConditions(object) { return answer }
        var headers = Self.headers(of: object)
        for (parameter, header) in [
            ("response-content-type", "Content-Type"), ("response-cache-control", "Cache-Control"),
            ("response-content-disposition", "Content-Disposition"), ("response-content-encoding", "Content-Encoding"),
            ("response-content-language", "Content-Language"), ("response-expires", "Expires"),
        ] {
            guard let value = call.parameters[parameter], !value.isEmpty else { continue }
            headers.removeAll { $0.name == header }
            headers.append((header, value))
        }
        var range: Range<Int64> = 0..<object.size
        var status = 200
        if let text = call.request.header("range") {
            let isStandard = call.request.header("x-oss-range-behavior") == "standard"
            switch ByteRange(text, size: object.size, isStandard: isStandard) {
            case .part(let part):
                range = part
                status = 206
                headers.append(("Content-Range", "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(object.size)"))
            case .whole: break
            case .unsatisfiable:
                throw OSSError(416, "InvalidRange", "The requested range cannot be satisfied.")
            }
        }
        var answer = WireAnswer(status: status, headers: headers)
        let store = services.objects
        let part = range
        answer.body = .stream(length: Int64(part.count)) { write in
            try await store.read(object, range: part, into: write)
        }
        return answer
    }

    private static func headers(of object: StoredObject) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = [
            ("Content-Type", object.attributes.contentType), ("ETag", "\"\(object.etag)\""),
            ("Last-Modified", OSSPort.httpDate(object.modifiedAt)), ("Accept-Ranges", "bytes"),
            ("x-oss-object-type", object.type.rawValue), ("x-oss-storage-class", object.storageClass),
            ("x-oss-hash-crc64ecma", String(object.crc64)),
        ]
        if object.type == .normal { headers.append(("Content-MD5", object.md5.base64EncodedString())) }
        if object.type == .appendable { headers.append(("x-oss-next-append-position", String(object.size))) }
        if let version = object.versionId { headers.append(("x-oss-version-id", version)) }
        if !object.tags.isEmpty { headers.append(("x-oss-tagging-count", String(object.tags.count))) }
        headers += Self.headers(of: object.encryption)
        if let value = object.attributes.contentEncoding { headers.append(("Content-Encoding", value)) }
        if let value = object.attributes.cacheControl { headers.append(("Cache-Control", value)) }
        if let value = object.attributes.contentDisposition { headers.append(("Content-Disposition", value)) }
        if let value = object.attributes.expires { headers.append(("Expires", value)) }
        for (name, value) in object.attributes.userMetadata.sorted(by: { $0.key < $1.key }) {
            headers.append(("x-oss-meta-" + name, value))
        }
        return headers
    }

    /// If-Match and its siblings; nil lets the request go on (oss.md section 12).
    ///
    /// - Parameter prefix: of the headers' names, for the source of a copy.
    func judgeConditions(_ object: StoredObject, prefix: String = "") throws -> WireAnswer? {
        func header(_ name: String) -> String? { call.request.header(prefix + name) }
        func tags(_ text: String) -> [String] {
            text.split(separator: ",").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "\" ")) }
        }
        let modified = Int64(object.modifiedAt.timeIntervalSince1970)
        let failed = Self.preconditionFailed
        if let match = header("if-match"), !tags(match).contains(object.etag), match != "*" { throw failed }
        if let since = header("if-unmodified-since").flatMap(WireTime.init(httpDate:)),
            modified > since.secondsSince1970
        {
            throw failed
        }
        let unchanged = WireAnswer(
            status: 304, headers: [("ETag", "\"\(object.etag)\""), ("Last-Modified", OSSPort.httpDate(object.modifiedAt))])
        if let none = header("if-none-match"), tags(none).contains(object.etag) || none == "*" { return unchanged }
        if let since = header("if-modified-since").flatMap(WireTime.init(httpDate:)),
            modified <= since.secondsSince1970
        {
            return unchanged
        }
        return nil
    }
}

/// A `Range` header as OSS reads it: by default what does not fit is the whole object (oss.md section 12).
enum ByteRange: Equatable {
    case part(Range<Int64>)
    case whole
    case unsatisfiable

    init(_ text: String, size: Int64, isStandard: Bool) {
        guard text.lowercased().hasPrefix("bytes="), let spec = text.dropFirst(6).split(separator: ",").first else {
            self = .whole
            return
        }
        let parts = spec.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
        guard parts.count == 2 else {
            self = .whole
            return
        }
        switch (Int64(parts[0]), Int64(parts[1])) {
        case (nil, let count?) where parts[0].isEmpty && count > 0:
            self = count <= size ? .part(size - count..<size) : .whole
        case (let first?, nil) where parts[1].isEmpty && first >= 0:
            self = first < size ? .part(first..<size) : isStandard ? .unsatisfiable : .whole
        case (let first?, let last?) where first >= 0 && first <= last:
            if first >= size {
                self = isStandard ? .unsatisfiable : .whole
            } else if last < size {
                self = .part(first..<last + 1)
            } else {
                self = isStandard ? .part(first..<size) : .whole
            }
        default: self = .whole
        }
    }
}
