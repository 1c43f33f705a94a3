// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Metrics
import Synchronization

/// A swift-metrics backend that writes Prometheus text.
///
/// Labels and dimensions are few and fixed in the code, so the registry stays small.
public final class PrometheusMetrics: MetricsFactory, Sendable {
    private struct State {
        var counters: [String: PrometheusCounter] = [:]
        var gauges: [String: PrometheusGauge] = [:]
        var summaries: [String: PrometheusSummary] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    static func key(_ label: String, _ dimensions: [(String, String)]) -> String {
        let name = String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        guard !dimensions.isEmpty else { return name }
        let pairs = dimensions.map { name, value in
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            return "\(name)=\"\(escaped)\""
        }
        return name + "{" + pairs.joined(separator: ",") + "}"
    }

    public var text: String {
        state.withLock { state in
            var lines: [String] = []
            var typed: Set<String> = []
            func declare(_ key: String, _ type: String) -> String {
                let name = String(key.prefix { $0 != "{" })
                if typed.insert(name).inserted { lines.append("# TYPE \(name) \(type)") }
                return name
            }
            for (key, counter) in state.counters.sorted(by: { $0.key < $1.key }) {
                _ = declare(key, "counter")
                lines.append("\(key) \(counter.value)")
            }
            for (key, gauge) in state.gauges.sorted(by: { $0.key < $1.key }) {
                _ = declare(key, "gauge")
                lines.append("\(key) \(gauge.value)")
            }
            for (key, summary) in state.summaries.sorted(by: { $0.key < $1.key }) {
                let name = declare(key, "summary")
                let labels = String(key.dropFirst(name.count))
                let (count, sum) = summary.values
                lines.append("\(name)_count\(labels) \(count)")
                lines.append("\(name)_sum\(labels) \(sum)")
            }
            return lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n"
        }
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        state.withLock { state in
            let key = Self.key(label, dimensions)
            if let known = state.counters[key] { return known }
            let made = PrometheusCounter()
            state.counters[key] = made
            return made
        }
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        let key = Self.key(label, dimensions)
        return state.withLock { state in
            if aggregate {
                if let known = state.summaries[key] { return known }
                let made = PrometheusSummary()
                state.summaries[key] = made
                return made
            }
            if let known = state.gauges[key] { return known }
            let made = PrometheusGauge()
            state.gauges[key] = made
            return made
        }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let key = Self.key(label + "_seconds", dimensions)
        return state.withLock { state in
            if let known = state.summaries[key] { return known }
            let made = PrometheusSummary()
            state.summaries[key] = made
            return made
        }
    }

    // Handlers live as long as the process.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
}

final class PrometheusCounter: CounterHandler, Sendable {
    private let count = Atomic<Int64>(0)
    var value: Int64 { count.load(ordering: .relaxed) }
    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { count.store(0, ordering: .relaxed) }
}

final class PrometheusGauge: RecorderHandler, Sendable {
    private let last = Mutex(0.0)
    var value: Double { last.withLock { $0 } }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { last.withLock { $0 = value } }
}

final class PrometheusSummary: RecorderHandler, TimerHandler, Sendable {
    private let state = Mutex((count: 0, sum: 0.0))
    var values: (count: Int, sum: Double) { state.withLock { $0 } }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { state.withLock { $0 = ($0.count + 1, $0.sum + value) } }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
