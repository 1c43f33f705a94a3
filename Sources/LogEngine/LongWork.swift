// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Runs work of milliseconds on threads of its own, for writing and for reading as many as there are processors.
///
/// The threads that all requests share are for short work: there a request that needs a microsecond would stand behind whole
/// batches. Between threads the system shares out the processors, and one that has just woken up comes first.
public enum LongWork {
    private static let writing = queue("cairn.long-writing")
    /// What only reads has threads of its own: it never keeps events from being recorded.
    private static let reading = queue("cairn.long-reading")
    /// So does what waits for others: it keeps nobody from writing and reading.
    private static let opening = queue("cairn.long-opening")

    private static func queue(_ name: String) -> OperationQueue {
        let queue = OperationQueue()
        queue.name = name
        queue.maxConcurrentOperationCount = ProcessInfo.processInfo.activeProcessorCount
        return queue
    }

    public static func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await run(work, on: writing)
    }

    public static func read<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await run(work, on: reading)
    }

    /// Opens a store, or waits until it is open or at rest.
    public static func open<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await run(work, on: opening)
    }

    private static func run<Result: Sendable>(
        _ work: @escaping @Sendable () throws -> Result, on queue: OperationQueue
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            queue.addOperation { continuation.resume(with: Swift.Result(catching: work)) }
        }
    }
}
