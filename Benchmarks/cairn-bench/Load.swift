// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A load that was sent: batches over several connections, and beside them lone events, one at a time.
struct Load {
    static let batchLines = 1000
    static let connections = 4

    /// Until the last batch was answered.
    let seconds: Double
    /// Of this process until then.
    let ownProcessorSeconds: Double
    /// Of the answers to lone events.
    let lone: Times
    let growth: Growth

    /// - Parameters:
    ///   - events: how many there are about to be.
    ///   - put: sends lines and waits for the answer; it is told how many were sent before them.
    static func send(
        _ source: BatchSource, events: Int, to server: MeasuredServer, port: Int,
        _ put: @escaping @Sendable (_ lines: [UInt8], _ before: Int, _ connection: PlainConnection) throws -> Void
    ) throws -> Load {
        let process = ProcessInfo.processInfo.processIdentifier
        let ownBefore = MeasuredServer.processorSeconds(of: process)
        let begin = Date()
        let senders = Crew()
        let sent = Atomic<Int>(0)
        let growth = Growth(of: server.processId, events: events)
        for _ in 0..<connections {
            senders.start(port) { connection in
                guard let batch = source.next() else { return false }
                let before = sent.wrappingAdd(batchLines, ordering: .relaxed).oldValue
                try put(batch, before, connection)
                growth.note(events: before + batchLines)
                return true
            }
        }
        let lone = Crew()
        let times = Times()
        lone.start(port) { connection in
            Thread.sleep(forTimeInterval: 0.01)
            let samples = source.samples
            guard !samples.isEmpty else { return true }
            let event = FreshEvents.batch(1, like: samples)
            let before = sent.load(ordering: .relaxed)
            try times.measure { try put(event, before, connection) }
            return true
        }
        try senders.wait()
        let seconds = Date().timeIntervalSince(begin)
        let own = MeasuredServer.processorSeconds(of: process) - ownBefore
        lone.stop()
        try lone.wait()
        guard source.count > 0 else { throw BenchError("there are no events") }
        return Load(seconds: seconds, ownProcessorSeconds: own, lone: times, growth: growth)
    }
}
