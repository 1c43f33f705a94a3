// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Crypto
import Foundation
import Logging
import ObjectStorage
import Synchronization

let secretText = "made-up-secret-of-these-tests-0001"
let remoteNow = WireTime(iso8601: "2026-11-25T12:00:00Z")!

extension WireTime {
    var httpDate: String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.string(from: Date(timeIntervalSince1970: Double(secondsSince1970)))
    }
}

func remoteBucket(
    _ kind: RemoteBucket.Kind, at url: String, _ change: (inout RemoteBucket) -> Void = { _ in }
) -> RemoteBucket {
    var bucket = RemoteBucket(
        name: "audit-archive", kind: kind, endpoint: RemoteEndpoint(url)!, region: kind == .s3 ? "us-east-1" : "cn-hangzhou",
        bucket: "real-bucket", accessKeyId: "AKMADEUP0001", secret: .environment("SECRET"), isPathStyle: true)
    change(&bucket)
    return bucket
}

/// A target with short pauses.
func remoteTarget(
    _ bucket: RemoteBucket, requestTimeout: Double = 5, environment: [String: String] = ["SECRET": secretText],
    now: @escaping @Sendable () -> WireTime = { remoteNow }
) throws -> any DeliveryTarget {
    var policy = RetryPolicy()
    policy.firstPause = 0.01
    policy.longestPause = 0.05
    policy.longestRetryAfter = 1
    policy.requestTimeout = requestTimeout
    return try RemoteTargets.make(
        [bucket], environment: environment, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
        policy: policy, now: now)[bucket.name]!
}

/// Enough of S3 to be delivered to: objects, conditions, locks, and the ways in which stores fall short.
final class FakeS3: Sendable {
    struct Object: Sendable {
        var body: [UInt8]
        var headers: [(String, String)]
    }

    struct Habits: Sendable {
        var ignoresCondition = false
        var ignoresLock = false
        var ignoresEncryption = false
        var keepsChecksum = true
        var etag: @Sendable ([UInt8]) -> String = { Insecure.MD5.hash(data: $0).map { String(format: "%02x", $0) }.joined() }
        var lockSetting: String? =
            "<ObjectLockConfiguration xmlns=\"x\"><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"
        var versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    }

    let habits: Habits
    private let objects = Mutex<[String: Object]>([:])

    init(_ habits: Habits = Habits()) { self.habits = habits }

    var keys: [String] { objects.withLock { $0.keys.sorted() } }
    func object(_ key: String) -> Object? { objects.withLock { $0[key] } }
    func set(_ key: String, _ body: [UInt8], _ headers: [(String, String)] = []) {
        objects.withLock { $0[key] = Object(body: body, headers: headers) }
    }
    func remove(_ key: String) { objects.withLock { $0[key] = nil } }

    func answer(_ request: FakeRequest) -> FakeAnswer {
        guard Self.isSigned(request) else { return .error(403, "SignatureDoesNotMatch") }
        let key = String(request.path.dropFirst("/real-bucket/".count)).removingPercentEncoding!
        if key.isEmpty || request.path == "/real-bucket" { return ofBucket(request) }
        switch request.method {
        case "PUT":
            if request.headers["if-none-match"] == "*", !habits.ignoresCondition, object(key) != nil {
                return .error(412, "PreconditionFailed")
            }
            var headers: [(String, String)] = []
            for (name, value) in request.headers {
                let isLock = name.hasPrefix("x-amz-object-lock-")
                let isEncryption = name.hasPrefix("x-amz-server-side-encryption")
                if isLock && !habits.ignoresLock || isEncryption && !habits.ignoresEncryption { headers.append((name, value)) }
                if name == "x-amz-checksum-sha256", habits.keepsChecksum { headers.append((name, value)) }
            }
            set(
                key, request.body,
                headers + [("ETag", "\"\(habits.etag(request.body))\""), ("x-amz-version-id", "v\(key.count)")])
            return FakeAnswer(headers: object(key)!.headers.filter { !$0.0.contains("lock") })
        case "GET", "HEAD":
            guard let object = object(key) else { return .error(404, "NoSuchKey") }
            return FakeAnswer(
                headers: object.headers + (request.method == "HEAD" ? [("Content-Length", "\(object.body.count)")] : []),
                body: object.body)
        default: return .error(405, "MethodNotAllowed")
        }
    }

    private func ofBucket(_ request: FakeRequest) -> FakeAnswer {
        switch request.query {
        case "object-lock":
            return habits.lockSetting.map(FakeAnswer.xml) ?? .error(404, "ObjectLockConfigurationNotFoundError")
        case "versioning": return .xml(habits.versioning)
        case "encryption": return .error(404, "ServerSideEncryptionConfigurationNotFoundError")
        default: return list(request)
        }
    }

    private func list(_ request: FakeRequest) -> FakeAnswer {
        let query = try! WireParameters(decoding: request.query)
        let after = query["start-after"] ?? ""
        let found = keys.filter { $0.hasPrefix(query["prefix"] ?? "") && $0 > after }
        let page = found.prefix(3)
        let contents = page.map { key in
            "<Contents><Key>\(PercentEncoding.encode(key))</Key><Size>\(object(key)!.body.count)</Size></Contents>"
        }.joined()
        return .xml(
            "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"y\"><Name>b</Name><EncodingType>url</EncodingType>"
                + "<KeyCount>\(page.count)</KeyCount><IsTruncated>\(found.count > 3)</IsTruncated>\(contents)</ListBucketResult>")
    }

    /// Whether what came over the wire is what was signed, body included.
    static func isSigned(_ request: FakeRequest) -> Bool {
        guard let authorization = request.headers["authorization"],
            let match = try?
                #/AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/s3/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})/#
                .wholeMatch(in: authorization),
            let time = request.headers["x-amz-date"].flatMap({ WireTime(compact: $0) }),
            let hash = request.headers["x-amz-content-sha256"],
            hash == SHA256.hash(data: request.body).map({ String(format: "%02x", $0) }).joined()
        else { return false }
        let wire = WireRequest(
            method: request.method, target: request.target, headers: request.headers.map { WireHeader($0.key, $0.value) })
        let names = match.4.split(separator: ";").map(String.init)
        let unsigned = request.headers.keys.filter { $0.hasPrefix("x-amz-") && !names.contains($0) }
        let canonical = SigV4.canonicalRequest(wire, signedNames: names, payloadHash: hash)
        let region = String(match.3)
        return unsigned.isEmpty && names.contains("host")
            && SigV4.signature(
                SigV4.stringToSign(canonical, time: time, region: region), secret: Secret(secretText), time: time, region: region)
                == match.5
    }
}

func md5Text(_ bytes: [UInt8]) -> String { Insecure.MD5.hash(data: bytes).map { String(format: "%02X", $0) }.joined() }

func crc64Text(_ bytes: [UInt8]) -> String {
    var crc = CRC64()
    bytes.withUnsafeBytes { crc.update($0) }
    return String(crc.value)
}

extension Error {
    /// What the error says; never anything that only the signer may know.
    var text: String { "\(self)" }
}

/// What a throwing call says.
func failureText(_ body: () async throws -> Void) async -> String {
    do {
        try await body()
        return "no error"
    } catch { return error.text }
}
