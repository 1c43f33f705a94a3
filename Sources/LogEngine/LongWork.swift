// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Runs work of milliseconds on threads of its own, for writing and for reading as many as there are processors.
///
/// The threads that all requests share are for short work: there a request that needs a microsecond would stand behind whole
/// batches. Between threads the system shares out the processors, and one that has just woken up comes first.
public enum LongWork {
    /// Whole batches: whoever has a single event or question to be seen to goes first.
    private static let writing = threads("cairn-writing", niceness: WorkThreads.batchNiceness)
    /// What only reads has threads of its own: it never keeps events from being recorded.
    private static let reading = threads("cairn-reading")
    /// What is asked of logstores may take a minute, if it is no good question: events are looked up all the same.
    private static let searching = threads("cairn-searching")
    private static let analysing = threads("cairn-analysing", niceness: WorkThreads.batchNiceness)
    /// What waits for others keeps nobody from writing and reading.
    private static let opening = threads("cairn-opening")

    private static func threads(_ name: String, niceness: Int32 = 0) -> WorkThreads {
        WorkThreads(name: name, count: ProcessInfo.processInfo.activeProcessorCount, niceness: niceness)
    }

    public static func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await run(work, on: writing)
    }

    public static func read<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await run(work, on: reading)
    }

    /// Looks for logs: seconds.
    public static func search<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await run(work, on: searching)
    }

    /// Works out a query of many rows: up to a minute.
    public static func analyse<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await run(work, on: analysing)
    }

    /// Opens a store, or waits until it is open or at rest.
    public static func open<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await run(work, on: opening)
    }

    private static func run<Result: Sendable>(
        _ work: @escaping @Sendable () throws -> Result, on threads: WorkThreads
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            threads.async { continuation.resume(with: Swift.Result(catching: work)) }
        }
    }
}
