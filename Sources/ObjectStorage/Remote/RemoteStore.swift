// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Crypto
import Foundation
import Logging

/// Requests to one bucket of another store: addressed, signed, repeated, and their answers read where S3 and OSS agree.
struct RemoteStore: Sendable {
    /// The largest object that is read back: what is delivered is at most some 20 MB.
    static let objectLimit = 128 << 20
    /// 1000 entries with keys of 1 KiB, percent-encoded.
    static let listLimit = 8 << 20

    struct Call {
        var method: String
        /// nil for the bucket itself.
        var key: String?
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
        /// Lower-case hex of the body's SHA-256.
        var bodyHash = RemoteStore.hashOfNothing
        var bodyLimit = RemoteAnswer.errorLimit
        /// False where a repetition could leave a second version behind.
        var isRepeatable = true
    }

    static let hashOfNothing = TextCoding.hex(SHA256.hash(data: [UInt8]()))

    let bucket: RemoteBucket
    let exchange: RemoteExchange
    let credentials: any RemoteCredentialSource
    let logger: Logger

    var place: RemotePlace { bucket.place }
    var clock: RemoteClock { exchange.clock }

    func refusal(_ action: String, _ answer: RemoteAnswer) -> RemoteError { RemoteError(action, place, answer: answer) }

    func send(_ action: String, _ call: Call) async throws -> RemoteAnswer {
        let label = bucket.isPathStyle ? nil : bucket.bucket
        // S3 clients write a bucket's own path without a slash at its end, OSS clients with one.
        let root = bucket.isPathStyle ? "/" + bucket.bucket + (bucket.kind == .oss || call.key != nil ? "/" : "") : "/"
        let path = root + (call.key.map { PercentEncoding.encode($0, keepingSlashes: true) } ?? "")
        let query = call.query.map {
            PercentEncoding.encode($0.name) + ($0.value.isEmpty ? "" : "=" + PercentEncoding.encode($0.value))
        }.joined(separator: "&")
        let request = WireRequest(
            method: call.method, rawPath: path, rawQuery: query,
            headers: [WireHeader("Host", bucket.endpoint.authority(label))] + call.headers.map { WireHeader($0.name, $0.value) },
            body: call.body)
        return try await exchange.send(
            action, to: bucket.endpoint.url(label), bodyLimit: call.bodyLimit, isRepeatable: call.isRepeatable,
            renew: { await credentials.renew() }
        ) { time in
            let credentials = try await credentials.credentials()
            switch bucket.kind {
            case .s3:
                return SigV4.signed(
                    request, payloadHash: call.bodyHash, accessKeyId: credentials.accessKeyId, secret: credentials.secret,
                    sessionToken: credentials.sessionToken, region: bucket.region, time: time)
            case .oss:
                let signer = OSSSigner(
                    accessKeyId: credentials.accessKeyId, secret: credentials.secret,
                    sessionToken: credentials.sessionToken?.reveal(), region: bucket.region, now: { time })
                return try signer.signed(
                    request, resource: call.key.map { .object(bucket: bucket.bucket, key: $0) } ?? .bucket(bucket.bucket))
            }
        }
    }

    // MARK: Reading

    func read(_ key: String) async throws -> [UInt8]? {
        let action = "read `\(key)` from"
        let answer = try await send(action, Call(method: "GET", key: key, bodyLimit: Self.objectLimit))
        if answer.status == 404, answer.code != "NoSuchBucket" { return nil }
        guard answer.status == 200 else { throw refusal(action, answer) }
        return answer.body
    }

    func list(prefix: String, after marker: String) async throws -> [TargetEntry] {
        var query = [("encoding-type", "url"), ("list-type", "2"), ("max-keys", "1000")]
        if !prefix.isEmpty { query.append(("prefix", prefix)) }
        if !marker.isEmpty { query.append(("start-after", marker)) }
        let action = "list the objects of"
        let answer = try await send(action, Call(method: "GET", query: query, bodyLimit: Self.listLimit))
        guard answer.status == 200 else { throw refusal(action, answer) }
        func unreadable(_ problem: String) -> RemoteError { RemoteError(.unreadable, action, place, problem: problem) }
        guard let text = String(validating: answer.body, as: UTF8.self),
            let result = XMLScan.elements("ListBucketResult", in: text, limit: 1).first
        else { throw unreadable("the answer is no list of objects; is the endpoint an object store's?") }
        var entries: [TargetEntry] = []
        let isEncoded = XMLScan.first("EncodingType", in: result) == "url"
        for entry in XMLScan.elements("Contents", in: result) {
            guard let name = XMLScan.first("Key", in: entry),
                let key = isEncoded ? PercentEncoding.decode(Array(name.utf8), plusIsSpace: true) : name,
                let size = XMLScan.first("Size", in: entry).flatMap({ Int64($0) }), size >= 0
            else { throw unreadable("an entry of the list has no key or no size") }
            // A list that does not go forward would never end.
            guard key.utf8.starts(with: prefix.utf8), (entries.last?.key ?? marker).utf8.lexicographicallyPrecedes(key.utf8)
            else { throw unreadable("the list is not in order, or has keys that were not asked for") }
            entries.append(TargetEntry(key: key, size: size))
        }
        guard !entries.isEmpty || XMLScan.first("IsTruncated", in: result) != "true" else {
            throw unreadable("the list is empty but says that there is more")
        }
        return entries
    }

    // MARK: Comparing

    /// Compares what a key has with what it should have, by HEAD if that is enough, else by reading it.
    ///
    /// - Parameter judge: whether headers say that the content is the same; nil if they say nothing.
    /// - Returns: the answer to HEAD if it is the same; nil if there is no such object.
    /// - Throws: ``TargetConflict``.
    func existing(
        _ key: String, _ content: [UInt8], headers: [(name: String, value: String)] = [], judge: (RemoteAnswer) -> Bool?
    ) async throws -> RemoteAnswer? {
        let action = "look at `\(key)` in"
        let answer = try await send(action, Call(method: "HEAD", key: key, headers: headers))
        if answer.status == 404 { return nil }
        guard answer.status == 200 else { throw refusal(action, answer) }
        let conflict = TargetConflict(key: key, location: place.description)
        if let length = answer["content-length"], length != String(content.count) { throw conflict }
        switch judge(answer) {
        case true?: return answer
        case false?: throw conflict
        case nil:
            guard let held = try await read(key) else { return nil }
            guard held == content else { throw conflict }
            return answer
        }
    }

    // MARK: Settings of the bucket

    enum Setting {
        case text(String)
        case absent
        /// It may be there, but the store does not say: no permission, or it does not know the question.
        case unseen(String)
    }

    func setting(_ name: String) async throws -> Setting {
        let action = "read the setting `\(name)` of"
        let answer = try await send(action, Call(method: "GET", query: [(name, "")]))
        let code = answer.code
        switch (answer.status, code) {
        case (200, _): return .text(String(decoding: answer.body, as: UTF8.self))
        case (404, let code) where code != "NoSuchBucket": return .absent
        case (405, _), (501, _), (_, "AccessDenied"), (_, "NotImplemented"), (_, "MethodNotAllowed"):
            return .unseen("\(answer.status) \(code ?? "")")
        default: throw refusal(action, answer)
        }
    }

    /// The versioning of the bucket, and a gap if it could not be seen.
    func versioning() async throws -> (status: String?, gap: String?) {
        switch try await setting("versioning") {
        case .text(let text): return (XMLScan.first("Status", in: text), nil)
        case .absent: return (nil, nil)
        case .unseen(let answer): return (nil, "whether the bucket has versions cannot be seen (\(answer))")
        }
    }

    /// Gaps that concern the way there, whatever the store.
    var gapsOfConnection: [String] {
        bucket.endpoint.isTLS || bucket.endpoint.isLoopback ? [] : ["the connection is plain http: who listens reads everything"]
    }

    var demandsRetention: Bool { bucket.retentionMode != .none }
}
