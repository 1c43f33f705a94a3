// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Crypto
import DurableFiles
import Foundation
import Hummingbird
import KeyManagement
import ObjectStorage

/// An error as OSS tells it; source: oss.md section 10.
struct OSSError: Error {
    var status: Int
    var code: String
    var message: String
    /// Further elements, such as `Key`.
    var details: [(name: String, value: String)] = []
    var detailCode: String?
    /// Headers of the answer beyond those of every error.
    var headers: [(name: String, value: String)] = []

    init(
        _ status: Int, _ code: String, _ message: String, details: [(name: String, value: String)] = [], detailCode: String? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.detailCode = detailCode
    }

    static func noSuchBucket(_ name: String) -> OSSError {
        OSSError(
            404, "NoSuchBucket", "The specified bucket does not exist.", details: [("BucketName", name)],
            detailCode: "0015-00000101")
    }

    static func noSuchKey(_ key: String) -> OSSError {
        OSSError(404, "NoSuchKey", "The specified key does not exist.", details: [("Key", key)], detailCode: "0026-00000001")
    }

    static func noSuchVersion(_ key: String) -> OSSError {
        OSSError(404, "NoSuchVersion", "There is no such version.", details: [("Key", key)])
    }

    static func notImplemented(_ what: String) -> OSSError {
        OSSError(501, "NotImplemented", "\(what) is not implemented yet.")
    }

    static func invalidArgument(_ message: String, name: String, value: String) -> OSSError {
        OSSError(400, "InvalidArgument", message, details: [("ArgumentName", name), ("ArgumentValue", value)])
    }
}

/// The oss port: what the official SDK does with buckets and objects. Other sub-resources answer 501: they must not be
/// taken for the plain operation.
struct OSSPort: WireService {
    let services: EndpointServices

    func answer(_ request: WireRequest, body: RequestBody, from client: ClientConnection) async -> WireAnswer {
        let requestId = Self.makeRequestId()
        let body = IncomingBody(body)
        var record = CallRecord(request, requestId: requestId, serviceName: "Oss")
        record.apiVersion = "2019-05-17"
        var answer: WireAnswer
        do {
            let call = try read(request, &record)
            let caller = try authenticate(call, &record)
            let operation = try OSSOperation(call)
            record.eventName = operation.eventName
            record.isWrite = operation.isWrite
            let handler = OSSHandler(services: services, call: call, caller: caller)
            let allowed = try handler.authorize(operation)
            let payload = try await handler.payload(of: operation, on: allowed.bucket, body)
            if operation.isWrite { try begin(operation, &record) }
            let weakening = try handler.weakening(of: operation, on: allowed.bucket)
            answer = try await handler.run(operation, on: allowed, payload, body)
            do { record.weakening = try weakening() } catch {
                // It is done, whatever it did to the trails.
                record.weakening = "unknown: what it weakens cannot be read"
                services.logger.error("what a call weakens is not known", metadata: ["error": "\(error)"])
            }
            if operation.isWrite {
                await services.recorder.record(record)
            } else {
                services.recorder.recordLater(record)
            }
        } catch {
            let failure = wireError(error)
            record.errorCode = failure.code
            record.errorMessage = failure.message
            if (error as? AuthenticationFailure)?.claimedAccessKeyId != nil {
                record.claimedAccessKeyId = (error as? AuthenticationFailure)?.claimedAccessKeyId
            }
            await services.recorder.record(record)
            await body.drain()
            answer = Self.answer(failure, requestId: requestId, host: record.host, isHead: request.method == "HEAD", error)
        }
        answer.headers += [("x-oss-request-id", requestId), ("Server", "AliyunOSS"), ("Date", Self.httpDate(services.now()))]
        return answer
    }

    /// What cannot be recorded must not be done. What changes content alone is not noted before: its record would be
    /// lost only by a crash between the two, and a second write to disk for each object would be the price.
    private func begin(_ operation: OSSOperation, _ record: inout CallRecord) throws {
        let refusal = OSSError(503, "ServiceUnavailable", "Calls cannot be recorded at present, so nothing may be changed.")
        guard services.recorder.canRecord else { throw refusal }
        guard !operation.isContent else { return }
        do { try services.recorder.begin(&record) } catch {
            services.logger.error("a change cannot be noted", metadata: ["call": "\(record.eventName)", "error": "\(error)"])
            throw refusal
        }
    }

    private func read(_ request: WireRequest, _ record: inout CallRecord) throws -> OSSRequest {
        let call: OSSRequest
        do throws(AuthenticationFailure) { call = try OSSRequest(request, addressing: services.ossAddressing) } catch {
            throw error
        }
        record.claimedAccessKeyId = call.claimedAccessKeyId
        record.parameters = call.parameters.all
        for name in ["x-oss-acl", "x-oss-object-acl", "x-oss-tagging", "x-oss-copy-source"] {
            if let value = request.header(name) { record.parameters.append(.init(name, value)) }
        }
        switch call.resource {
        case .service: break
        case .bucket(let name): record.resources = [("ACS::OSS::Bucket", name)]
        case .object(let bucket, let key):
            record.resources = [("ACS::OSS::Bucket", bucket), ("ACS::OSS::Object", bucket + "/" + key)]
        }
        return call
    }

    private func authenticate(_ call: OSSRequest, _ record: inout CallRecord) throws -> Caller {
        // Bucket policies and ACLs decide what a request without any credentials may do.
        guard !call.isAnonymous else { return .anonymous }
        switch try services.authenticator.authenticateOSS(call) {
        case .authenticated(let authentication):
            record.caller = authentication.caller
            if let id = authentication.caller.accessKeyId { services.identities.noteUse(ofAccessKey: id) }
            return authentication.caller
        case .refused(let failure): throw failure
        }
    }

    // MARK: Errors

    private func wireError(_ error: any Error) -> OSSError {
        switch error {
        case let error as OSSError: return error
        case let failure as AuthenticationFailure:
            return OSSError(
                failure.httpStatus, failure.code, failure.message,
                details: failure.details.map { ($0.name, $0.value) }, detailCode: failure.errorDetailCode)
        case let error as ObjectError: return wireError(ofObject: error)
        case let error as KeyError: return OSSError(error)
        case let error as DiskError:
            services.logger.error("an object cannot be written or read", metadata: ["error": "\(error)"])
            return error.code == .full
                ? OSSError(503, "ServiceUnavailable", "The disk of the service is full.")
                : OSSError(500, "InternalError", "The disk of the service failed. Please try again.")
        default:
            services.logger.error("an OSS call failed", metadata: ["error": "\(error)"])
            return OSSError(500, "InternalError", "We encountered an internal error. Please try again.")
        }
    }

    private func wireError(ofObject error: ObjectError) -> OSSError {
        switch error {
        case .noSuchBucket(let name): return .noSuchBucket(name)
        case .invalidBucketName(let name):
            return OSSError(400, "InvalidBucketName", "The specified bucket is not valid.", details: [("BucketName", name)])
        case .invalidKey(let key):
            return OSSError(400, "InvalidObjectName", "The specified object is not valid.", details: [("Key", key)])
        case .bucketAlreadyExists(let name):
            return OSSError(
                409, "BucketAlreadyExists", "The requested bucket name is not available.",
                details: [("BucketName", name)], detailCode: "0015-00000104")
        case .bucketNotEmpty(let name):
            return OSSError(
                409, "BucketNotEmpty", "The bucket has objects. Please delete them first.",
                details: [("BucketName", name)], detailCode: "0015-00000301")
        case .digestMismatch:
            return OSSError(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
        case .objectImmutable: return OSSError(409, "FileImmutable", "\(error)")
        case .retentionExists: return OSSError(409, "WORMConfigurationAlreadyExists", "\(error)")
        case .noSuchRetention: return OSSError(404, "NoSuchWORMConfiguration", "\(error)")
        case .retentionLocked: return OSSError(403, "WORMConfigurationLocked", "\(error)")
        case .invalidRetentionDays: return OSSError(400, "InvalidArgument", "\(error)")
        case .retentionNotLocked, .retentionShortened: return OSSError(400, "InvalidWORMConfiguration", "\(error)")
        case .retentionExcludesVersioning: return OSSError(409, "InvalidWORMConfiguration", "\(error)")
        case .checksumMismatch: return OSSError(400, "InvalidCRC64", "\(error)")
        case .noSuchObject(_, let key): return .noSuchKey(key)
        case .noSuchVersion: return OSSError(404, "NoSuchVersion", "\(error)")
        case .noSuchUpload: return OSSError(404, "NoSuchUpload", "\(error)")
        case .invalidPartNumber: return OSSError(400, "InvalidArgument", "\(error)")
        case .invalidPart: return OSSError(400, "InvalidPart", "\(error)")
        case .invalidPartOrder: return OSSError(400, "InvalidPartOrder", "\(error)")
        case .partTooSmall: return OSSError(400, "EntityTooSmall", "\(error)")
        case .positionNotEqualToLength(_, let length):
            var failure = OSSError(409, "PositionNotEqualToLength", "\(error)", detailCode: "0026-00000016")
            failure.headers = [("x-oss-next-append-position", String(length))]
            return failure
        case .objectNotAppendable: return OSSError(409, "ObjectNotAppendable", "\(error)")
        case .appendableNotCopied: return OSSError(400, "OperationNotSupported", "\(error)")
        case .noCustomerKeys:
            return OSSError(
                403, "KmsServiceNotEnabled",
                "There is no default key: name one with x-oss-server-side-encryption-key-id, or KMSMasterKeyID.")
        case .objectAlreadyExists(let key):
            return OSSError(
                409, "FileAlreadyExists", "The object you specified already exists and can not be overwritten.",
                details: [("Key", key)], detailCode: "0026-00000002")
        case .objectDamaged, .rowDamaged:
            services.logger.error("stored objects are damaged", metadata: ["damage": "\(error)"])
            return OSSError(500, "InternalError", "\(error)")
        default: return OSSError(400, "InvalidRequest", "\(error)")
        }
    }

    private static func answer(_ failure: OSSError, requestId: String, host: String, isHead: Bool, _ error: any Error)
        -> WireAnswer
    {
        let wireMessage = (error as? AuthenticationFailure)?.wireMessage ?? failure.message
        let xml = XMLText("Error") { xml in
            xml.element("Code", failure.code)
            xml.element("Message", wireMessage)
            xml.element("RequestId", requestId)
            xml.element("HostId", host)
            for detail in failure.details { xml.element(detail.name, detail.value) }
            if let code = failure.detailCode { xml.element("EC", code) }
        }
        var headers = failure.headers
        if let code = failure.detailCode { headers.append(("x-oss-ec", code)) }
        if isHead {
            headers.append(("x-oss-err", Data(xml.bytes).base64EncodedString()))
            return WireAnswer(status: failure.status, headers: headers)
        }
        return WireAnswer(status: failure.status, headers: [("Content-Type", "application/xml")] + headers, body: xml.bytes)
    }

    static func makeRequestId() -> String {
        (0..<12).map { _ in String(format: "%02X", UInt8.random(in: 0...255)) }.joined()
    }

    /// RFC 1123 in GMT, as OSS and its SDKs want it.
    static func httpDate(_ date: Date) -> String {
        WireTime(secondsSince1970: Int64(date.timeIntervalSince1970.rounded(.down))).httpDate
    }
}
