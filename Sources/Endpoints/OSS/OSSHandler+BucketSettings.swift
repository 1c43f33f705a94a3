// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Crypto
import Foundation
import Hummingbird
import KeyManagement
import ObjectStorage

/// What is set on a bucket: oss.md sections 11, 14 and 16.
extension OSSHandler {
    static let bodyLimit = 64 << 10

    func run(_ setting: BucketSetting, _ bucket: Bucket, _ body: IncomingBody) async throws -> WireAnswer {
        let store = services.objects
        let name = bucket.name
        let collected = try await content(of: body, limit: setting == .putLifecycle ? 2 << 20 : Self.bodyLimit)
        defer { withExtendedLifetime(collected) {} }
        let content = collected.bytes
        switch setting {
        case .getStat: return Self.xml(try statistics(of: name))
        case .getACL:
            return Self.xml(
                XMLText("AccessControlPolicy") { xml in
                    owner(bucket, &xml)
                    xml.element("AccessControlList") { $0.element("Grant", bucket.acl.rawValue) }
                })
        case .putACL:
            try store.setACL(try cannedACL() ?? .private, bucket: name)
            return WireAnswer(status: 200)
        case .getPolicy:
            guard let policy = bucket.policy else {
                throw OSSError(404, "NoSuchBucketPolicy", "The bucket policy does not exist.", details: [("BucketName", name)])
            }
            return WireAnswer(status: 200, headers: [("Content-Type", "application/json")], body: Array(policy.utf8))
        case .putPolicy:
            let text = String(decoding: content, as: UTF8.self)
            do { _ = try PolicyDocument(parsing: text, as: .bucket) } catch {
                throw OSSError(400, "InvalidPolicyDocument", "The policy is malformed: \(error).")
            }
            try store.setPolicy(text, bucket: name)
            return WireAnswer(status: 200)
        case .deletePolicy:
            try store.setPolicy(nil, bucket: name)
            return WireAnswer(status: 204)
        case .getEncryption:
            guard let rule = bucket.encryption else {
                throw OSSError(
                    404, "NoSuchServerSideEncryptionRule", "The server side encryption configuration does not exist.",
                    details: [("BucketName", name)])
            }
            return Self.xml(
                XMLText("ServerSideEncryptionRule") { xml in
                    xml.element("ApplyServerSideEncryptionByDefault") { Self.describe(rule, &$0) }
                })
        case .putEncryption:
            try store.setEncryption(try await encryptionRule(XMLElement(parsing: content), of: bucket), bucket: name)
            return WireAnswer(status: 200)
        case .deleteEncryption:
            try store.setEncryption(nil, bucket: name)
            return WireAnswer(status: 204)
        case .getVersioning:
            return Self.xml(
                XMLText("VersioningConfiguration") { xml in
                    if let versioning = bucket.versioning { xml.element("Status", versioning.rawValue) }
                })
        case .putVersioning:
            guard let text = try XMLElement(parsing: content).value("Status"), let state = Bucket.Versioning(rawValue: text)
            else {
                throw Self.malformed("Status is neither Enabled nor Suspended")
            }
            try store.setVersioning(state, bucket: name)
            return WireAnswer(status: 200)
        case .getLifecycle:
            guard let lifecycle = bucket.lifecycle else {
                throw OSSError(404, "NoSuchLifecycle", "No lifecycle rule is set.", details: [("BucketName", name)])
            }
            return WireAnswer(
                status: 200, headers: [("Content-Type", "application/xml")], body: Array(lifecycle.document.utf8))
        case .putLifecycle:
            try store.setLifecycle(try Lifecycle(parsing: content), bucket: name)
            return WireAnswer(status: 200)
        case .deleteLifecycle:
            try store.setLifecycle(nil, bucket: name)
            return WireAnswer(status: 204)
        case .getTagging: return Self.xml(Self.tagging(bucket.tags))
        case .putTagging:
            try store.setTags(try tags(XMLElement(parsing: content), ofObject: false), bucket: name)
            return WireAnswer(status: 200)
        case .deleteTagging:
            try store.setTags([:], bucket: name)
            return WireAnswer(status: 204)
        case .getRetention:
            let policy = try store.retention(bucket: name)
            return Self.xml(
                XMLText("WormConfiguration") { xml in
                    xml.element("WormId", policy.id)
                    xml.element("State", policy.state.rawValue)
                    xml.element("RetentionPeriodInDays", String(policy.days))
                    xml.element("CreationDate", Self.bodyDate(policy.createdAt))
                })
        case .initiateRetention:
            let policy = try store.initiateRetention(bucket: name, days: try days(content))
            return WireAnswer(status: 200, headers: [("x-oss-worm-id", policy.id)])
        case .abortRetention:
            try store.abortRetention(bucket: name)
            return WireAnswer(status: 204)
        case .completeRetention:
            try store.completeRetention(bucket: name, id: call.parameters["wormId"] ?? "")
            return WireAnswer(status: 200)
        case .extendRetention:
            try store.extendRetention(bucket: name, id: call.parameters["wormId"] ?? "", days: try days(content))
            return WireAnswer(status: 200)
        }
    }

    static func malformed(_ reason: String) -> OSSError {
        OSSError(400, "MalformedXML", "The XML you provided was not well-formed or did not validate: \(reason).")
    }

    /// - Throws: `InvalidArgument` for a word that is no ACL; nil if none was sent.
    func cannedACL() throws(OSSError) -> CannedACL? {
        guard let text = call.request.header("x-oss-acl") else { return nil }
        guard let acl = CannedACL(rawValue: text), acl != .inherited else {
            throw .invalidArgument(
                "The ACL is none of private, public-read and public-read-write.", name: "x-oss-acl", value: text)
        }
        return acl
    }

    func objectACL() throws(OSSError) -> CannedACL? {
        guard let text = call.request.header("x-oss-object-acl") else { return nil }
        guard let acl = CannedACL(rawValue: text) else {
            throw .invalidArgument(
                "The ACL is none of default, private, public-read and public-read-write.", name: "x-oss-object-acl", value: text)
        }
        return acl
    }

    /// The whole body, which must have the digest that came with it.
    func content(of body: IncomingBody, limit: Int = bodyLimit) async throws -> CollectedBody {
        let content: CollectedBody
        do throws(BodyFault) {
            content = try await CollectedBody.read(
                body, limit: limit, budget: services.budget,
                expected: call.request.header("content-length").flatMap { Int($0) })
        } catch {
            switch error {
            case .tooLarge(let limit): throw OSSError(400, "EntityTooLarge", "The body is longer than \(limit) bytes.")
            case .busy: throw OSSError(503, "ServiceUnavailable", "Too many requests are in memory; try again.")
            case .broken: throw OSSError(400, "IncompleteBody", "The body ended early.")
            }
        }
        if let text = call.request.header("content-md5"),
            Data(base64Encoded: text) != Data(Insecure.MD5.hash(data: content.bytes))
        {
            throw OSSError(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
        }
        return content
    }

    private func days(_ content: [UInt8]) throws -> Int {
        guard let days = try XMLElement(parsing: content).value("RetentionPeriodInDays").flatMap({ Int($0) }) else {
            throw Self.malformed("RetentionPeriodInDays is missing, or no number")
        }
        return days
    }

    private func statistics(of name: String) throws -> XMLText {
        let statistics = try services.objects.statistics(bucket: name)
        return XMLText("BucketStat") { xml in
            xml.element("Storage", String(statistics.bytes))
            xml.element("ObjectCount", String(statistics.objects))
            xml.element("MultipartUploadCount", String(statistics.uploads))
            xml.element("DeleteMarkerCount", String(statistics.deleteMarkers))
        }
    }
}
