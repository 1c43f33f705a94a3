// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Runs work of milliseconds on threads of its own, as many as there are processors.
///
/// The threads that all requests share are for short work: there a request that needs a microsecond would stand behind whole
/// batches. Between threads the system shares out the processors, and one that has just woken up comes first.
public enum LongWork {
    private static let queue: OperationQueue = {
        let queue = OperationQueue()
        queue.name = "cairn.long-work"
        queue.maxConcurrentOperationCount = ProcessInfo.processInfo.activeProcessorCount
        return queue
    }()

    public static func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            queue.addOperation { continuation.resume(with: Swift.Result(catching: work)) }
        }
    }
}
