// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import Synchronization

/// How often and how patiently a request is repeated.
package struct RetryPolicy: Sendable {
    package var attempts = 4
    /// Seconds; doubles with each attempt.
    package var firstPause = 0.2
    package var longestPause = 5.0
    /// A store that asks for a longer pause gets it from whoever comes back later, not from a request that waits.
    package var longestRetryAfter = 20
    /// Seconds for one request and its answer.
    package var requestTimeout = 120.0

    package init() {}

    /// Half of it fixed, half by chance, so that many clients do not come back at once.
    package func pause(afterAttempt attempt: Int) -> Double {
        let whole = min(firstPause * Double(1 << min(attempt - 1, 20)), longestPause)
        return whole / 2 + .random(in: 0...whole / 2)
    }
}

/// The clock that requests are signed by: the machine's, set right by the store's when they disagree.
final class RemoteClock: Sendable {
    private let now: @Sendable () -> WireTime
    private let state = Mutex((repair: Int64(0), ahead: Int64(0)))

    init(_ now: @escaping @Sendable () -> WireTime) { self.now = now }

    /// For signatures.
    var time: WireTime { now() + state.withLock { $0.repair } }

    /// The later of this machine's clock and the store's: what retention is counted from.
    var latest: WireTime { now() + state.withLock { max($0.ahead, $0.repair, 0) } }

    /// Notes how far the store's clock is ahead.
    func observe(_ date: WireTime) {
        let ahead = date.secondsSince1970 - now().secondsSince1970
        state.withLock { $0.ahead = ahead }
    }

    /// Takes over the store's clock.
    func follow(_ date: WireTime) {
        let offset = date.secondsSince1970 - now().secondsSince1970
        state.withLock { $0 = (offset, offset) }
    }
}

/// One kind of request to one service, repeated until it is answered for good: bounded retries with growing pauses,
/// `Retry-After`, one repair of a clock that is off, one renewal of a token that has expired.
struct RemoteExchange: Sendable {
    let transport: RemoteTransport
    let policy: RetryPolicy
    let clock: RemoteClock
    let place: RemotePlace

    /// - Parameters:
    ///   - action: for errors: `put \`key\` into`.
    ///   - isRepeatable: false for what must not be done twice; then only what was refused for its time or its token is
    ///     sent again.
    ///   - renew: gets rid of credentials that were refused as expired.
    ///   - signed: makes the request anew for each attempt, signed at that time.
    /// - Returns: an answer, good or bad; a passing failure only after the last attempt.
    func send(
        _ action: String, to base: String, bodyLimit: Int, isRepeatable: Bool = true, renew: @Sendable () async -> Void = {},
        signed: @Sendable (WireTime) async throws -> WireRequest
    ) async throws -> RemoteAnswer {
        let attempts = isRepeatable ? policy.attempts : 1
        var hasRepairedClock = false
        var hasRenewed = false
        var attempt = 0
        while true {
            attempt += 1
            try Task.checkCancellation()
            let time = clock.time
            let request = try await signed(time)
            let answer: RemoteAnswer
            do { answer = try await transport.send(request, to: base, bodyLimit: bodyLimit) } catch let error as OversizedAnswer {
                throw RemoteError(
                    .unreadable, action, place, problem: "the answer is larger than \(error.limit) bytes and was not read further"
                )
            } catch {
                if Task.isCancelled { throw CancellationError() }
                guard attempt < attempts else {
                    throw RemoteError(
                        .unreachable, action, place,
                        problem:
                            "no whole answer in \(attempt == 1 ? "one attempt" : "\(attempt) attempts"), last: \(Self.reason(error)); look at the endpoint, the "
                            + "network between and the store")
                }
                try await Task.sleep(for: .seconds(policy.pause(afterAttempt: attempt)))
                continue
            }
            if let date = answer.date { clock.observe(date) }
            // Neither of the two counts as an attempt: nothing was done.
            if !hasRepairedClock, let date = answer.date, Self.isSkewed(answer, request, at: time) {
                hasRepairedClock = true
                clock.follow(date)
                attempt -= 1
                continue
            }
            if !hasRenewed, let code = answer.code,
                ["ExpiredToken", "SecurityTokenExpired", "InvalidSecurityToken"].contains(code)
            {
                hasRenewed = true
                attempt -= 1
                await renew()
                continue
            }
            guard answer.isTransient, attempt < attempts, answer.retryAfter ?? 0 <= policy.longestRetryAfter else {
                return answer
            }
            try await Task.sleep(
                for: .seconds(max(policy.pause(afterAttempt: attempt), Double(answer.retryAfter ?? 0))))
        }
    }

    /// Refused for its time; a HEAD has no code, so there a clock that is off by as much as stores mind has to do.
    private static func isSkewed(_ answer: RemoteAnswer, _ request: WireRequest, at time: WireTime) -> Bool {
        guard [400, 403].contains(answer.status) else { return false }
        if ["RequestTimeTooSkewed", "InvalidTimeStamp.Expired"].contains(answer.code) { return true }
        guard request.method == "HEAD", let date = answer.date else { return false }
        return abs(date.secondsSince1970 - time.secondsSince1970) > 10 * 60
    }

    /// What a transport's error says, without its nested dumps.
    private static func reason(_ error: any Error) -> String {
        String("\(error)".prefix(200))
    }
}
