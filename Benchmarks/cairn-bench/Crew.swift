// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Threads that send while others do: each on a connection of its own, until told to stop.
final class Crew: Sendable {
    private let isStopped = Atomic<Bool>(false)
    private let failures = Mutex<[String]>([])
    private let done = DispatchGroup()

    /// - Parameter work: called until it returns false, or the crew is stopped.
    func start(_ port: Int, _ work: @escaping @Sendable (PlainConnection) throws -> Bool) {
        done.enter()
        Thread { [self] in
            defer { done.leave() }
            do {
                let connection = try PlainConnection(port: port)
                while !isStopped.load(ordering: .relaxed) {
                    guard try work(connection) else { return }
                }
            } catch { failures.withLock { $0.append("\(error)") } }
        }.start()
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    func wait() throws {
        done.wait()
        if let failure = failures.withLock({ $0.first }) { throw BenchError(failure) }
    }
}

/// Times of many calls, in milliseconds.
final class Times: Sendable {
    private let values = Mutex<[Double]>([])

    func measure<Result>(_ body: () throws -> Result) rethrows -> Result {
        let begin = DispatchTime.now().uptimeNanoseconds
        defer {
            let time = Double(DispatchTime.now().uptimeNanoseconds - begin) / 1e6
            values.withLock { $0.append(time) }
        }
        return try body()
    }

    var count: Int { values.withLock { $0.count } }

    var summary: String { String(format: "median %.2f ms, p99 %.2f ms", quantile(0.5), quantile(0.99)) }

    /// - Parameter part: 0.5 for the median, 0.99 for the 99th percentile.
    func quantile(_ part: Double) -> Double {
        let sorted = values.withLock { $0 }.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
    }
}

/// Events like a sample, with ids of their own, that happen now.
enum FreshEvents {
    static func batch(_ count: Int, like samples: [[UInt8]]) -> [UInt8] {
        let time = Array(Date().ISO8601Format().utf8)
        var bytes: [UInt8] = []
        for number in 0..<count {
            let line = samples[(number &* 31 &+ Int.random(in: 0..<samples.count)) % samples.count]
            var values = [(#""eventId":""#, Array(UUID().uuidString.utf8)), (#""eventTime":""#, time)].compactMap { key, value in
                line.end(of: key).flatMap { start in
                    line[start...].firstIndex(of: UInt8(ascii: "\"")).map { (place: start..<$0, value: value) }
                }
            }
            values.sort { $0.place.lowerBound < $1.place.lowerBound }
            var copied = 0
            for (place, value) in values {
                bytes += line[copied..<place.lowerBound]
                bytes += value
                copied = place.upperBound
            }
            bytes += line[copied...]
            bytes.append(0x0A)
        }
        return bytes
    }
}
