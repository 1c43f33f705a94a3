// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import ArgumentParser
import Foundation
import ObjectStorage
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

    /// Sends a request about a bucket or an object and gives the answer's body.
    func send(
        _ method: String, bucket: String, key: String? = nil, query: [(String, String)] = [], headers: [WireHeader] = [],
        body: String = ""
    ) async throws -> [UInt8] {
        let path = "/" + bucket + "/" + (key.map { PercentEncoding.encode($0, keepingSlashes: true) } ?? "")
        var request = WireRequest(
            method: method, rawPath: path,
            rawQuery: WireParameters(query.map { WireParameters.Parameter($0.0, $0.1) }).encodedQuery,
            headers: [WireHeader("Host", client.host)] + headers, body: Array(body.utf8))
        if !body.isEmpty { request.headers.append(WireHeader("Content-Type", "application/xml")) }
        let signed = try client.ossSigner(region: "local-1").signed(
            request, resource: key.map { .object(bucket: bucket, key: $0) } ?? .bucket(bucket))
        let answer = try await client.send(signed)
        guard (200..<300).contains(answer.status) else {
            throw APIError(oss: answer, operation: method + " " + path + (query.first.map { "?" + $0.0 } ?? ""))
        }
        return answer.body
    }

    /// The answer's text; nil if what was asked for is not there (404).
    func text(bucket: String, query: [(String, String)]) async throws -> String? {
        do {
            return String(decoding: try await send("GET", bucket: bucket, query: query), as: UTF8.self)
        } catch let error as APIError {
            guard error.status == 404 else { throw error }
            return nil
        }
    }

    /// All keys under a prefix.
    func keys(bucket: String, prefix: String) async throws -> [(key: String, size: Int)] {
        var keys: [(String, Int)] = []
        var token = ""
        repeat {
            var query = [("list-type", "2"), ("max-keys", "1000"), ("encoding-type", "url"), ("prefix", prefix)]
            if !token.isEmpty { query.append(("continuation-token", token)) }
            let text = String(decoding: try await send("GET", bucket: bucket, query: query), as: UTF8.self)
            for entry in XMLScan.elements("Contents", in: text) {
                guard let key = XMLScan.first("Key", in: entry)?.removingPercentEncoding,
                    let size = XMLScan.first("Size", in: entry).flatMap({ Int($0) })
                else { continue }
                keys.append((key, size))
            }
            token = XMLScan.first("NextContinuationToken", in: text) ?? ""
        } while !token.isEmpty
        return keys
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
