// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// Sends requests as they are and reads bounded answers.
final class RemoteTransport: Sendable {
    private let client: HTTPClient
    private let requestTimeout: TimeAmount

    /// - Parameters:
    ///   - caFile: certificate authorities in place of the system's.
    ///   - requestTimeout: seconds for a whole request, its answer included.
    init(caFile: String? = nil, requestTimeout: Double = 120) {
        var configuration = HTTPClient.Configuration()
        // A signed request is for the host it was signed for; AsyncHTTPClient's own retries would hide what happens.
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        configuration.timeout.connect = .milliseconds(Int64(min(requestTimeout, 10) * 1000))
        configuration.timeout.read = .milliseconds(Int64(min(requestTimeout, 60) * 1000))
        if let caFile {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(caFile)
            configuration.tlsConfiguration = tls
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.requestTimeout = .milliseconds(Int64(requestTimeout * 1000))
    }

    deinit {
        // Keeps itself alive until its connections are closed.
        client.shutdown { _ in }
    }

    /// - Parameter base: scheme and authority.
    /// - Throws: ``OversizedAnswer``, or whatever kept an answer from coming.
    func send(_ request: WireRequest, to base: String, bodyLimit: Int) async throws -> RemoteAnswer {
        let query = request.rawQuery.isEmpty ? "" : "?" + request.rawQuery
        var message = HTTPClientRequest(url: base + request.rawPath + query)
        message.method = HTTPMethod(rawValue: request.method)
        for header in request.headers where header.name.lowercased() != "host" {
            message.headers.add(name: header.name, value: header.value)
        }
        if !request.body.isEmpty || ["PUT", "POST"].contains(request.method) { message.body = .bytes(request.body) }
        let response = try await client.execute(message, timeout: requestTimeout)
        var body: [UInt8] = []
        // What an error says is short, whatever was asked for.
        let limit = response.status.code == 200 ? bodyLimit : RemoteAnswer.errorLimit
        for try await part in response.body {
            guard body.count + part.readableBytes <= limit else { throw OversizedAnswer(limit: limit) }
            body += part.readableBytesView
        }
        return RemoteAnswer(
            status: Int(response.status.code), headers: response.headers.map { ($0.name.lowercased(), $0.value) }, body: body)
    }
}

struct OversizedAnswer: Error {
    var limit: Int
}

/// A whole answer.
struct RemoteAnswer: Sendable {
    static let errorLimit = 64 << 10

    var status: Int
    /// Names in lower case.
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    subscript(name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The error code of a refusal; HEAD has no body and so no code, but for OSS's header.
    var code: String? {
        guard status >= 300 else { return nil }
        let text = String(decoding: body, as: UTF8.self)
        if let code = XMLScan.first("Code", in: text) { return String(code.prefix(100)) }
        guard let json = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else { return nil }
        return (json["Code"] as? String).map { String($0.prefix(100)) }
    }

    var date: WireTime? { self["date"].flatMap { WireTime(httpDate: $0) } }

    /// Seconds that the store asks to wait.
    var retryAfter: Int? { ForeignAnswer.retryAfter(self["retry-after"], date: date) }

    /// Whether the same request may fare better in a moment.
    var isTransient: Bool {
        if status >= 500 { return status != 501 }
        if [408, 429].contains(status) { return true }
        return ["RequestTimeout", "SlowDown", "ConditionalRequestConflict", "OperationAborted"].contains(code)
    }
}
