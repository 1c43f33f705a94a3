// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService

/// Asks again while a service is away, and says so once.
struct Reconnection {
    private var hasAnswered = false

    /// What `ask` gives in the end. What fails before the service has ever answered, or would fail again, is thrown.
    mutating func answer<Answer>(_ ask: () async throws -> Answer) async throws -> Answer {
        var wait = Duration.milliseconds(500)
        var isAway = false
        while true {
            do {
                let answer = try await ask()
                if isAway { Terminal.complain("the service answers again") }
                hasAnswered = true
                return answer
            } catch {
                try Task.checkCancellation()
                guard hasAnswered, Self.isPassing(error) else { throw error }
                if !isAway { Terminal.complain("\(Self.words(error)); trying again") }
                isAway = true
            }
            try await Task.sleep(for: wait)
            wait = min(wait * 2, .seconds(5))
        }
    }

    private static func isPassing(_ error: any Error) -> Bool {
        switch error {
        case let error as SLSClientError: error.isPassing
        case let error as APIError: error.status >= 500 || error.status == 429
        // Nobody answered.
        case let failure as Failure: failure.code == 3
        default: false
        }
    }

    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as SLSClientError: error.description
        case let error as APIError: error.failure.message
        case let failure as Failure: failure.message
        default: "\(error)"
        }
    }
}
