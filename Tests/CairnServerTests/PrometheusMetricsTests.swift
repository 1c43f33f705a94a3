// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CairnServer
import Metrics
import Testing

@Suite struct `The metrics text` {
    @Test func `declares each metric once and escapes labels`() {
        let metrics = PrometheusMetrics()
        metrics.makeCounter(label: "calls_total", dimensions: [("code", "a\"b\\c\nd")]).increment(by: 2)
        metrics.makeCounter(label: "calls_total", dimensions: [("code", "ok")]).increment(by: 3)
        metrics.makeCounter(label: "calls_total", dimensions: [("code", "ok")]).increment(by: 4)
        metrics.makeRecorder(label: "depth", dimensions: [], aggregate: false).record(Int64(7))
        metrics.makeTimer(label: "sync", dimensions: []).recordNanoseconds(1_500_000_000)
        #expect(
            metrics.text == """
                # TYPE calls_total counter
                calls_total{code="a\\"b\\\\c\\nd"} 2
                calls_total{code="ok"} 7
                # TYPE depth gauge
                depth 7.0
                # TYPE sync_seconds summary
                sync_seconds_count 1
                sync_seconds_sum 1.5

                """)
    }

    @Test func `is empty before anything is counted`() {
        #expect(PrometheusMetrics().text.isEmpty)
    }
}
