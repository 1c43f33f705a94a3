// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// Asks any service that speaks SLS; a request is sent once. Source: sls.md sections 2 to 5 and 16.
public struct SLSClient: Sendable {
    private static let errorLimit = 64 << 10

    private let endpoint: SLSEndpoint?
    private let credentials: SLSCredentials
    private let region: String?
    private let http: HTTPClient
    private let clock: Clock

    /// - Parameters:
    ///   - endpoint: `https://host[:port]` or `http://host[:port]`. Where that is an IP address or `localhost`, projects
    ///     are named in the `Host` header only.
    ///   - region: signs with version 4 for it; nil signs with version 1.
    ///   - http: should be made with ``httpConfiguration(caFile:)``.
    public init(endpoint: String, credentials: SLSCredentials, region: String?, http: HTTPClient) {
        self.init(endpoint: endpoint, credentials: credentials, region: region, http: http, clock: Clock())
    }

    /// - Parameter clock: shared by the clients of one service, so that each knows what another learned of its time.
    package init(endpoint: String, credentials: SLSCredentials, region: String?, http: HTTPClient, clock: Clock) {
        self.endpoint = SLSEndpoint(endpoint)
        self.credentials = credentials
        self.region = region.flatMap { $0.isEmpty ? nil : $0 }
        self.http = http
        self.clock = clock
    }

    /// - Parameter caFile: PEM file of the authorities to trust in place of the system's.
    public static func httpConfiguration(caFile: String? = nil) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        // A signed request is for the host it was signed for; who sends it decides whether to send it again.
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        configuration.timeout.connect = .seconds(10)
        configuration.timeout.read = .seconds(120)
        if let caFile {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(caFile)
            configuration.tlsConfiguration = tls
        }
        return configuration
    }

    /// Sends a request, and once more if it was refused for its time: then by the service's clock.
    ///
    /// - Parameters:
    ///   - project: nil for what is the account's.
    ///   - path: not percent-encoded, beginning with a slash.
    ///   - query: not percent-encoded.
    ///   - headers: beyond those that every request has; `x-log-bodyrawsize` of a compressed body belongs here.
    ///   - timeout: seconds for the request and its whole answer.
    ///   - bodyLimit: the most bytes of an answer that are read.
    /// - Returns: an answer of status 200.
    /// - Throws: ``SLSClientError`` for every other, and if there is none; `CancellationError`.
    public func send(
        _ method: String, project: String?, path: String, query: [(String, String)] = [], headers: [(String, String)] = [],
        body: [UInt8] = [], contentType: String? = nil, timeout: Double = 60, bodyLimit: Int = 128 << 20
    ) async throws -> SLSResponse {
        guard let endpoint else {
            throw SLSClientError(
                status: 0, code: SLSClientError.badEndpoint,
                message: "the endpoint should be https://HOST, http://HOST or either with :PORT, with nothing behind")
        }
        var headers = headers
        if let contentType { headers.append(("Content-Type", contentType)) }
        let request = Request(method: method, project: project, path: path, query: query, headers: headers, body: body)
        let time = clock.time
        let answer = try await exchange(request, with: endpoint, at: time, timeout: timeout, bodyLimit: bodyLimit)
        guard answer.status != 200 else { return answer }
        let error = SLSClientError(answer)
        guard error.code == "RequestTimeTooSkewed", let date = answer.date, date != time else { throw error }
        clock.follow(date)
        let second = try await exchange(request, with: endpoint, at: clock.time, timeout: timeout, bodyLimit: bodyLimit)
        guard second.status == 200 else { throw SLSClientError(second) }
        return second
    }

    private struct Request {
        var method: String
        var project: String?
        var path: String
        var query: [(String, String)]
        var headers: [(String, String)]
        var body: [UInt8]
    }

    private func exchange(
        _ request: Request, with endpoint: SLSEndpoint, at time: WireTime, timeout: Double, bodyLimit: Int
    ) async throws -> SLSResponse {
        let path = PercentEncoding.encode(request.path, keepingSlashes: true)
        let query = request.query.map { PercentEncoding.encode($0.0) + "=" + PercentEncoding.encode($0.1) }
            .joined(separator: "&")
        let host = endpoint.authority(request.project)
        var headers = request.headers
        if let region {
            SLSSigner.signV4(
                method: request.method, host: host, path: path, query: request.query, headers: &headers, body: request.body,
                credentials: credentials, region: region, date: time)
        } else {
            SLSSigner.signV1(
                method: request.method, path: path, query: request.query, headers: &headers, body: request.body,
                credentials: credentials, date: time)
        }
        var message = HTTPClientRequest(url: endpoint.base(request.project) + path + (query.isEmpty ? "" : "?" + query))
        message.method = HTTPMethod(rawValue: request.method)
        message.headers.add(name: "Host", value: host)
        message.headers.add(name: "User-Agent", value: "cairn")
        for (name, value) in headers where name.lowercased() != "host" { message.headers.add(name: name, value: value) }
        if !request.body.isEmpty || ["PUT", "POST"].contains(request.method) { message.body = .bytes(request.body) }
        do {
            let response = try await http.execute(message, timeout: .milliseconds(Int64(timeout * 1000)))
            let status = Int(response.status.code)
            // What an error says is short, whatever was asked for.
            let limit = status == 200 ? bodyLimit : Self.errorLimit
            var body: [UInt8] = []
            for try await part in response.body {
                guard part.readableBytes <= limit - body.count else {
                    throw SLSClientError(
                        status: status, code: SLSClientError.badAnswer,
                        message: "the answer is larger than \(limit) bytes and was not read further")
                }
                body += part.readableBytesView
            }
            return SLSResponse(
                status: status, headers: response.headers.map { ($0.name.lowercased(), $0.value) }, body: body)
        } catch let error as SLSClientError {
            throw error
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw SLSClientError(status: 0, code: SLSClientError.noAnswer, message: "no whole answer: \("\(error)".prefix(200))")
        }
    }
}

extension SLSClient {
    /// The clock that requests are signed by: the machine's, set right by the service's when that refuses it.
    package final class Clock: Sendable {
        private let now: @Sendable () -> WireTime
        private let repair = Mutex<Int64>(0)

        package init(_ now: @escaping @Sendable () -> WireTime = WireTime.now) { self.now = now }

        var time: WireTime { now() + repair.withLock { $0 } }

        func follow(_ date: WireTime) {
            let ahead = date.secondsSince1970 - now().secondsSince1970
            repair.withLock { $0 = ahead }
        }
    }
}
