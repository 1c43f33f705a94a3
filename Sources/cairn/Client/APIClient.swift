// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import ArgumentParser
import AsyncHTTPClient
import CairnServer
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// Where the service is, and who calls.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("URL of the api port.", discussion: "Default: $CAIRN_ENDPOINT, else http://127.0.0.1:8420"))
    var endpoint: String?

    @Option(help: "Data folder whose root-credentials.json to use. Default: $CAIRN_DATA, else ./cairn-data")
    var data: String?

    func client() throws -> APIClient {
        let environment = ProcessInfo.processInfo.environment
        let url = endpoint ?? environment["CAIRN_ENDPOINT"] ?? "http://127.0.0.1:8420"
        let (id, secret) = try credentials(environment)
        return try APIClient(endpoint: url, accessKeyId: id, secret: secret)
    }

    func credentials(_ environment: [String: String]) throws -> (id: String, secret: Secret) {
        switch (environment["CAIRN_ACCESS_KEY_ID"] ?? "", environment["CAIRN_ACCESS_KEY_SECRET"] ?? "") {
        case ("", ""): break
        case (let id, let secret) where !id.isEmpty && !secret.isEmpty: return (id, Secret(secret))
        default:
            throw Failure.usage("CAIRN_ACCESS_KEY_ID and CAIRN_ACCESS_KEY_SECRET belong together: one of them is missing")
        }
        let folder = data ?? environment["CAIRN_DATA"] ?? "./cairn-data"
        let path = folder + "/" + RootCredentials.fileName
        guard let text = FileManager.default.contents(atPath: path) else {
            throw Failure.unreachable(
                "no credentials: set CAIRN_ACCESS_KEY_ID and CAIRN_ACCESS_KEY_SECRET, or run where `\(path)` can be read")
        }
        guard let file = try? JSONDecoder().decode(RootCredentials.File.self, from: text) else {
            throw Failure.unreachable("`\(path)` does not hold credentials")
        }
        return (file.AccessKeyId, Secret(file.AccessKeySecret))
    }
}

/// The APIs of the api port, by version.
enum APIProduct: String {
    case actionTrail = "2020-07-06"
    case keys = "2016-01-20"
    case access = "2015-05-01"
    case tokens = "2015-04-01"
}

/// Speaks to a running service, signed.
struct APIClient {
    let base: String
    let host: String
    let accessKeyId: String
    private let secret: Secret
    private let signer: RPCSigner

    init(endpoint: String, accessKeyId: String, secret: Secret) throws {
        guard let url = URL(string: endpoint), let scheme = url.scheme, ["http", "https"].contains(scheme), let name = url.host
        else {
            throw Failure.usage("`\(endpoint)` is not a URL such as http://127.0.0.1:8420")
        }
        let bracketed = name.contains(":") ? "[\(name)]" : name
        host = url.port.map { "\(bracketed):\($0)" } ?? bracketed
        base = "\(scheme)://\(host)"
        self.accessKeyId = accessKeyId
        self.secret = secret
        signer = RPCSigner(accessKeyId: accessKeyId, secret: secret)
    }

    /// Trusts the system's certificate authorities, or those in the file that CAIRN_CA_CERT names.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(10)
        // A person waits: nobody listening is said at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        if let path = ProcessInfo.processInfo.environment["CAIRN_CA_CERT"], !path.isEmpty {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(path)
            configuration.tlsConfiguration = tls
        }
        return HTTPClient(configuration: configuration)
    }()

    struct Answer {
        var status: Int
        var headers: HTTPHeaders
        var body: [UInt8]
    }

    /// Sends a request as it is.
    func send(_ request: WireRequest, base: String? = nil, timeout: TimeAmount = .seconds(120)) async throws -> Answer {
        let query = request.rawQuery.isEmpty ? "" : "?" + request.rawQuery
        var message = HTTPClientRequest(url: (base ?? self.base) + request.rawPath + query)
        message.method = HTTPMethod(rawValue: request.method)
        for header in request.headers where header.name.lowercased() != "host" {
            message.headers.add(name: header.name, value: header.value)
        }
        if !request.body.isEmpty || request.method == "POST" || request.method == "PUT" {
            message.body = .bytes(ByteBuffer(bytes: request.body))
        }
        do {
            let response = try await Self.http.execute(message, timeout: timeout)
            let body = try await response.body.collect(upTo: 1 << 30)
            return Answer(
                status: Int(response.status.code), headers: response.headers, body: Array(body.readableBytesView))
        } catch {
            throw Failure.unreachable("cannot reach \(base ?? self.base): \(error)")
        }
    }

    /// Calls an RPC operation and gives its JSON answer.
    func call(
        _ action: String, _ parameters: [(String, String)] = [], of product: APIProduct = .actionTrail
    ) async throws -> [String: Any] {
        let query = WireParameters(parameters.map { WireParameters.Parameter($0.0, $0.1) }).encodedQuery
        let request = try signer.signed(
            WireRequest(
                method: "POST", rawPath: "/", rawQuery: query,
                headers: [WireHeader("Host", host), WireHeader("Accept", "application/json")]), action: action,
            version: product.rawValue)
        let answer = try await send(request)
        guard answer.status == 200 else { throw APIError(answer, operation: action) }
        return try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any] ?? [:]
    }

    /// Sends a batch of events.
    func put(_ body: [UInt8], format: String, token: String?) async throws -> Answer {
        let query = format == "auto" ? "" : "format=\(format)"
        var request = WireRequest(
            method: "POST", rawPath: "/v1/events", rawQuery: query,
            headers: [WireHeader("Host", host), WireHeader("Content-Type", "application/x-ndjson")], body: body)
        if let token {
            request.headers.append(WireHeader("Authorization", "Bearer \(token)"))
        } else {
            request = try signer.signed(request, action: Authenticator.ingestAction, version: APIProduct.actionTrail.rawValue)
        }
        return try await send(request)
    }

    var isTLS: Bool { base.hasPrefix("https:") }

    func ossSigner(region: String) -> OSSSigner {
        OSSSigner(accessKeyId: accessKeyId, secret: secret, region: region)
    }
}
