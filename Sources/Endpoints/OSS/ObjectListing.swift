// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import ObjectStorage

/// ListObjects and ListObjectsV2; source: oss.md section 11, listing rules.
struct ObjectListing {
    private let call: OSSRequest
    private let bucket: Bucket
    private let isVersion2: Bool
    private let prefix: String
    private let delimiter: String
    /// Names up to and including this one are not listed.
    private let marker: String
    private let limit: Int
    private let isURLEncoded: Bool

    init(_ call: OSSRequest, bucket: Bucket, isVersion2: Bool) throws(OSSError) {
        self.call = call
        self.bucket = bucket
        self.isVersion2 = isVersion2
        prefix = call.parameters["prefix"] ?? ""
        delimiter = call.parameters["delimiter"] ?? ""
        limit = try OSSHandler.limit(call.parameters["max-keys"], name: "max-keys", default: 100, maximum: 1000)
        isURLEncoded = call.parameters["encoding-type"] == "url"
        if isVersion2 {
            let token = call.parameters["continuation-token"] ?? ""
            if token.isEmpty {
                marker = call.parameters["start-after"] ?? ""
            } else {
                guard let name = Self.decodeToken(token) else {
                    throw .invalidArgument("The continuation token is not valid.", name: "continuation-token", value: token)
                }
                marker = name
            }
        } else {
            marker = call.parameters["marker"] ?? ""
        }
    }

    /// Tokens are hex: they hold neither `%` nor `+`.
    private static func encodeToken(_ name: String) -> String {
        name.utf8.map { String(format: "%02x", $0) }.joined()
    }

    private static func decodeToken(_ token: String) -> String? {
        let digits = Array(token.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else { return nil }
            bytes.append(byte)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private func page(of store: any ObjectStore) throws -> ListingPage<StoredObject> {
        try ListingPage(
            CommonPrefix(prefix: prefix, delimiter: delimiter), after: ListingPosition(key: marker), limit: limit,
            position: { ListingPosition(key: $0.key) },
            batch: { try store.objects(bucket: bucket.name, prefix: prefix, after: $0.key, limit: $1) })
    }

    private func encoded(_ name: String) -> String {
        isURLEncoded ? PercentEncoding.encode(name, keepingSlashes: true) : name
    }

    func answer(_ store: any ObjectStore) throws -> WireAnswer {
        let page = try page(of: store)
        return OSSHandler.xml(
            XMLText("ListBucketResult") { xml in
                xml.element("Name", bucket.name)
                xml.element("Prefix", encoded(prefix))
                xml.element("MaxKeys", String(limit))
                xml.element("Delimiter", encoded(delimiter))
                if isURLEncoded { xml.element("EncodingType", "url") }
                xml.element("IsTruncated", page.isTruncated ? "true" : "false")
                if isVersion2 {
                    if let token = call.parameters["continuation-token"], !token.isEmpty {
                        xml.element("ContinuationToken", token)
                    }
                    if let start = call.parameters["start-after"], !start.isEmpty { xml.element("StartAfter", encoded(start)) }
                    if page.isTruncated { xml.element("NextContinuationToken", Self.encodeToken(page.last.key)) }
                    xml.element("KeyCount", String(page.count))
                } else {
                    xml.element("Marker", encoded(marker))
                    if page.isTruncated { xml.element("NextMarker", encoded(page.last.key)) }
                }
                let showsOwner = !isVersion2 || call.parameters["fetch-owner"] == "true"
                for object in page.entries {
                    xml.element("Contents") { xml in
                        xml.element("Key", encoded(object.key))
                        xml.element("LastModified", OSSHandler.bodyDate(object.modifiedAt))
                        xml.element("ETag", "\"\(object.etag)\"")
                        xml.element("Type", object.type.rawValue)
                        xml.element("Size", String(object.size))
                        xml.element("StorageClass", object.storageClass)
                        guard showsOwner else { return }
                        OSSHandler.owner(bucket.owner, &xml)
                    }
                }
                for group in page.commonPrefixes {
                    xml.element("CommonPrefixes") { $0.element("Prefix", encoded(group)) }
                }
            })
    }
}
