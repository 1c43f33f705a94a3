// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import AsyncHTTPClient
import Foundation
import LogService
import Logging
import ObjectStorage

/// Requests to one project of another log service, repeated until they are answered for good: bounded retries with growing
/// pauses, `Retry-After`, one renewal of a token that has expired. Source: sls.md section 16.
public final class RemoteLogService: Sendable {
    /// Seconds of the first pause when the service says that it is asked too much; doubles with each attempt.
    private static let throttledPause = 1.0

    let project: RemoteLogProject
    private let credentials: any RemoteCredentialSource
    private let policy: RetryPolicy
    private let http: HTTPClient
    private let clock: SLSClient.Clock

    /// - Parameter environment: where secrets that are in variables are taken from; nothing else of it is kept.
    /// - Throws: ``RemoteError`` if a secret cannot be read, so that it is told at the start.
    public convenience init(
        _ project: RemoteLogProject, environment: [String: String], logger: Logger
    ) throws(RemoteError) {
        try self.init(project, environment: environment, logger: logger, policy: RetryPolicy(), now: WireTime.now)
    }

    package init(
        _ project: RemoteLogProject, environment: [String: String], logger: Logger, policy: RetryPolicy,
        now: @escaping @Sendable () -> WireTime
    ) throws(RemoteError) {
        self.project = project
        self.policy = policy
        credentials = try project.access.source(
            for: project.place, environment: environment, logger: logger, policy: policy, now: now)
        http = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: SLSClient.httpConfiguration(caFile: project.access.caFile))
        clock = SLSClient.Clock(now)
    }

    deinit {
        // Keeps itself alive until its connections are closed.
        http.shutdown { _ in }
    }

    /// - Parameter action: for errors: `deliver logs into`.
    /// - Throws: ``RemoteError`` with the service's code; `CancellationError`.
    func send(
        _ action: String, _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = [],
        contentType: String? = nil
    ) async throws -> SLSResponse {
        var attempt = 0
        var hasRenewed = false
        while true {
            attempt += 1
            try Task.checkCancellation()
            let own = try await credentials.credentials()
            let client = SLSClient(
                endpoint: project.endpoint.description,
                credentials: SLSCredentials(
                    accessKeyId: own.accessKeyId, secret: own.secret, securityToken: own.sessionToken?.reveal()),
                region: project.region, http: http, clock: clock)
            do {
                return try await client.send(
                    method, project: project.project, path: path, headers: headers, body: body, contentType: contentType,
                    timeout: policy.requestTimeout, bodyLimit: 1 << 20)
            } catch let error as SLSClientError {
                // It does not count as an attempt: nothing was done.
                if !hasRenewed, own.sessionToken != nil, error.isAboutToken {
                    hasRenewed = true
                    attempt -= 1
                    await credentials.renew()
                    continue
                }
                let wish = error.retryAfter ?? 0
                guard error.isPassing, attempt < policy.attempts, wish <= policy.longestRetryAfter else {
                    throw RemoteError(action, project.place, error, attempts: attempt)
                }
                var pause = policy.pause(afterAttempt: attempt)
                if error.isThrottling { pause = max(pause, Self.throttledPause * Double(1 << min(attempt - 1, 10))) }
                try await Task.sleep(for: .seconds(max(pause, Double(wish))))
            }
        }
    }
}

extension SLSClientError {
    /// The service is asked too much, or busy: the request was not carried out.
    fileprivate var isThrottling: Bool {
        status == 429
            || ["WriteQuotaExceed", "ShardWriteQuotaExceed", "ReadQuotaExceed", "ShardReadQuotaExceed", "ServerBusy"].contains(
                code)
    }

    /// Whether the same request may fare better in a moment.
    fileprivate var isPassing: Bool {
        isThrottling || code == Self.noAnswer || status == 408 || (status >= 500 && status != 501)
    }

    fileprivate var isAboutToken: Bool {
        [400, 401, 403].contains(status)
            && (code.contains("SecurityToken") || (code == "Unauthorized" && message.lowercased().contains("token")))
    }

    fileprivate var advice: String? {
        switch code {
        case Self.noAnswer: "look at the endpoint, the network between and the service"
        case "ProjectNotExist", "ProjectNotExists": "make the project there, or correct `project`"
        case "SignatureNotMatch": "the secret does not belong to the access key, or `region` is wrong"
        case "InvalidAccessKeyId": "correct `access-key-id`, or enable the key"
        case "RequestTimeTooSkewed": "set this machine's clock"
        case "Unauthorized":
            isAboutToken
                ? "give a new session token"
                : "the access key has to be enabled, and needs log:PostLogStoreLogs, log:GetLogStore and log:CreateLogStore"
        case "ProjectForbidden": "the project is disabled, or its account in arrears"
        case "LogStoreNotExist": "it will be made again, which may take a minute to be known everywhere"
        default: nil
        }
    }
}

extension RemoteError {
    fileprivate init(_ action: String, _ place: RemotePlace, _ error: SLSClientError, attempts: Int) {
        let kind: Kind =
            switch error.code {
            case SLSClientError.noAnswer: .unreachable
            case SLSClientError.badAnswer: .unreadable
            default: .refused
            }
        let tries = attempts > 1 ? " after \(attempts) attempts" : ""
        self.init(
            kind, action, place, problem: "\(error)\(tries)" + (error.advice.map { "; " + $0 } ?? ""),
            status: error.status == 0 ? nil : error.status, code: error.code, retryAfter: error.retryAfter)
    }
}
