// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleStory
import Synchronization

/// The events to record, in batches, made or read while they are sent: ten million do not fit into memory.
final class BatchSource: Sendable {
    private struct State {
        var batches: [[UInt8]] = []
        var isAtEnd = false
        var count = 0
        var bytes = 0
        var samples: [[UInt8]] = []
    }

    static let ahead = 64
    private static let sampleStep = 199
    private static let sampleLimit = 20_000

    private let state = Mutex(State())
    private let space = DispatchSemaphore(value: BatchSource.ahead)
    private let filled = DispatchSemaphore(value: 0)

    /// - Parameter file: NDJSON; nil for made-up traffic, always the same but for its times.
    init(file: String?, events: Int, batchLines: Int) throws {
        let input = try file.map { path in
            guard let handle = FileHandle(forReadingAtPath: path) else { throw BenchError("cannot read \(path)") }
            return handle
        }
        let thread = Thread { [self] in
            var cutter = LineCutter(lines: batchLines, limit: events) { self.put($0, ends: $1) }
            if let input {
                while !cutter.isDone, let data = try? input.read(upToCount: 4 << 20), !data.isEmpty {
                    data.withUnsafeBytes { cutter.cut($0) }
                }
            } else {
                // A day earlier than need be: some hours have fewer events than others.
                let lasting = Int64(events) / SampleTraffic.eventsPerSecond + 86_400
                SampleTraffic(seed: 7, eventCount: events, start: Int64(Date().timeIntervalSince1970) - lasting)
                    .writeLines { cutter.cut($0) }
            }
            cutter.finish()
            state.withLock { $0.isAtEnd = true }
            filled.signal()
        }
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Waits for the next batch; nil at the end.
    func next() -> [UInt8]? {
        filled.wait()
        let batch = state.withLock { $0.batches.isEmpty ? nil : $0.batches.removeFirst() }
        guard let batch else {
            filled.signal()
            return nil
        }
        space.signal()
        return batch
    }

    var count: Int { state.withLock { $0.count } }
    var bytes: Int { state.withLock { $0.bytes } }
    /// Some events of all that was sent, evenly spread.
    var samples: [[UInt8]] { state.withLock { $0.samples } }

    /// - Parameter ends: where each line of the batch ends, its break included.
    private func put(_ batch: [UInt8], ends: [Int]) {
        space.wait()
        state.withLock { state in
            let number = state.count / max(1, ends.count)
            for line in ends.indices where (line + number) % Self.sampleStep == 0 && state.samples.count < Self.sampleLimit {
                state.samples.append(Array(batch[(line == 0 ? 0 : ends[line - 1])..<ends[line] - 1]))
            }
            state.batches.append(batch)
            state.count += ends.count
            state.bytes += batch.count
        }
        filled.signal()
    }
}

/// Cuts a stream of bytes into batches of whole lines.
private struct LineCutter {
    private let lines: Int
    private var left: Int
    private var current: [UInt8] = []
    private var ends: [Int] = []
    private let take: (_ batch: [UInt8], _ ends: [Int]) -> Void

    init(lines: Int, limit: Int, take: @escaping (_ batch: [UInt8], _ ends: [Int]) -> Void) {
        self.lines = lines
        self.take = take
        left = limit
    }

    var isDone: Bool { left == 0 }

    mutating func cut(_ chunk: UnsafeRawBufferPointer) {
        var rest = chunk
        while left > 0, let base = rest.baseAddress, let newline = memchr(base, 0x0A, rest.count) {
            let count = UnsafeRawPointer(newline) - base + 1
            current.append(contentsOf: rest[..<count])
            ends.append(current.count)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            left -= 1
            if ends.count == lines { flush() }
        }
        if left > 0 { current.append(contentsOf: rest) }
    }

    mutating func finish() {
        if !ends.isEmpty { flush() }
    }

    private mutating func flush() {
        take(current, ends)
        current = []
        current.reserveCapacity(lines * 2048)
        ends = []
    }
}
