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
            var cutter = LineCutter(lines: batchLines, limit: events) { self.put($0, lines: $1) }
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

    private func put(_ batch: [UInt8], lines: Int) {
        space.wait()
        state.withLock { state in
            if state.samples.count < Self.sampleLimit {
                let number = state.count / max(1, lines)
                for line in batch.split(separator: 0x0A).enumerated() where (line.offset + number) % Self.sampleStep == 0 {
                    state.samples.append(Array(line.element))
                }
            }
            state.batches.append(batch)
            state.count += lines
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
    private var count = 0
    private let take: ([UInt8], Int) -> Void

    init(lines: Int, limit: Int, take: @escaping ([UInt8], Int) -> Void) {
        self.lines = lines
        self.take = take
        left = limit
    }

    var isDone: Bool { left == 0 }

    mutating func cut(_ chunk: UnsafeRawBufferPointer) {
        var start = 0
        while start < chunk.count, left > 0 {
            guard let end = chunk[start...].firstIndex(of: 0x0A) else {
                current.append(contentsOf: chunk[start...])
                return
            }
            current.append(contentsOf: chunk[start...end])
            start = end + 1
            count += 1
            left -= 1
            if count == lines { flush() }
        }
    }

    mutating func finish() {
        if count > 0 { flush() }
    }

    private mutating func flush() {
        take(current, count)
        current = []
        count = 0
    }
}
