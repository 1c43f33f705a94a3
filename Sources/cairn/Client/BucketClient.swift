// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import ArgumentParser
import Foundation
import Trails

/// Where the oss port is.
struct BucketOptions: ParsableArguments {
    @OptionGroup var connection: ConnectionOptions

    @Option(help: ArgumentHelp("URL of the oss port.", discussion: "Default: $CAIRN_OSS_ENDPOINT, else http://127.0.0.1:8421"))
    var ossEndpoint: String?

    func client() throws -> BucketClient {
        let environment = ProcessInfo.processInfo.environment
        let (id, secret) = try connection.credentials(environment)
        let url = ossEndpoint ?? environment["CAIRN_OSS_ENDPOINT"] ?? "http://127.0.0.1:8421"
        return BucketClient(client: try APIClient(endpoint: url, accessKeyId: id, secret: secret))
    }
}

/// Speaks OSS, path style, signed V4.
struct BucketClient {
    let client: APIClient

    func send(_ method: String, bucket: String, key: String? = nil, query: [(String, String)] = []) async throws -> [UInt8] {
        let path = "/" + bucket + "/" + (key.map { PercentEncoding.encode($0, keepingSlashes: true) } ?? "")
        let request = WireRequest(
            method: method, rawPath: path,
            rawQuery: WireParameters(query.map { WireParameters.Parameter($0.0, $0.1) }).encodedQuery,
            headers: [WireHeader("Host", client.host)])
        let signed = try client.ossSigner(region: "local-1").signed(
            request, resource: key.map { .object(bucket: bucket, key: $0) } ?? .bucket(bucket))
        let answer = try await client.send(signed)
        guard (200..<300).contains(answer.status) else {
            let text = String(decoding: answer.body.prefix(2000), as: UTF8.self)
            let code = text.slice(between: "<Code>", and: "</Code>") ?? "HTTP \(answer.status)"
            let message = text.slice(between: "<Message>", and: "</Message>") ?? ""
            throw Failure(code: answer.status == 404 ? 1 : 3, message: "\(method) \(path): \(code): \(message)")
        }
        return answer.body
    }

    /// All keys under a prefix.
    func keys(bucket: String, prefix: String) async throws -> [(key: String, size: Int)] {
        var keys: [(String, Int)] = []
        var token = ""
        repeat {
            var query = [("list-type", "2"), ("max-keys", "1000"), ("encoding-type", "url"), ("prefix", prefix)]
            if !token.isEmpty { query.append(("continuation-token", token)) }
            let text = String(decoding: try await send("GET", bucket: bucket, query: query), as: UTF8.self)
            for entry in text.components(separatedBy: "<Contents>").dropFirst() {
                guard let key = entry.slice(between: "<Key>", and: "</Key>")?.removingPercentEncoding,
                    let size = entry.slice(between: "<Size>", and: "</Size>").flatMap({ Int($0) })
                else { continue }
                keys.append((key, size))
            }
            token = text.slice(between: "<NextContinuationToken>", and: "</NextContinuationToken>") ?? ""
        } while !token.isEmpty
        return keys
    }
}

extension String {
    fileprivate func slice(between start: String, and end: String) -> String? {
        guard let first = range(of: start), let last = range(of: end, range: first.upperBound..<endIndex) else { return nil }
        return String(self[first.upperBound..<last.lowerBound])
    }
}

/// A bucket, for verification.
struct BucketObjects: DeliveredObjects {
    let client: BucketClient
    let bucket: String
    let prefix: String

    func keys() async throws -> [String] { try await client.keys(bucket: bucket, prefix: prefix).map(\.key) }
    func content(_ key: String) async throws -> [UInt8] { try await client.send("GET", bucket: bucket, key: key) }
}

/// A folder of downloaded objects, for verification offline.
struct FolderObjects: DeliveredObjects {
    let folder: String

    func keys() async throws -> [String] {
        let root = URL(fileURLWithPath: folder).standardizedFileURL.path
        guard let files = FileManager.default.enumerator(atPath: root) else {
            throw Failure.usage("`\(folder)` is not a folder that can be read")
        }
        var keys: [String] = []
        while let name = files.nextObject() as? String {
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: root + "/" + name, isDirectory: &isFolder), !isFolder.boolValue {
                keys.append(name)
            }
        }
        return keys
    }

    func content(_ key: String) async throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: folder + "/" + key) else {
            throw Failure.no("cannot read `\(folder)/\(key)`")
        }
        return [UInt8](data)
    }
}
