// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The dashboard of a trail's logstore: how much happens, by whom, where and when; source: sls.md sections 13 and 14.
public enum TrailDashboard {
    public static func name(logstore: String) -> String { "\(logstore)_audit_center_en" }

    public static func json(logstore: String) throws -> Data {
        let charts = [
            chart("Events", "number", TrailQuery.events, logstore, y: ["pv"], at: (0, 0), width: 4),
            chart("Actors", "number", TrailQuery.actors, logstore, y: ["uv"], at: (4, 0), width: 3),
            chart("Services", "number", TrailQuery.services, logstore, y: ["n"], at: (7, 0), width: 3),
            chart("Event sources", "pie", TrailQuery.sources, logstore, x: ["s"], y: ["c"], at: (0, 5), width: 4),
            chart(
                "Events and actors over time", "line", TrailQuery.trend, logstore, x: ["t"], y: ["pv", "uv"], at: (4, 5), width: 6
            ),
        ]
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(
            Dashboard(
                dashboardName: name(logstore: logstore), displayName: "Audit center of \(logstore)",
                description: "Events of the trail that delivers to \(logstore)", charts: charts))
    }

    private static func chart(
        _ title: String, _ type: String, _ query: String, _ logstore: String, x: [String] = [], y: [String],
        at place: (x: Int, y: Int), width: Int
    ) -> Chart {
        Chart(
            title: title, type: type, search: .init(logstore: logstore, query: query),
            display: .init(xAxis: x, yAxis: y, xPos: place.x, yPos: place.y, width: width, displayName: title))
    }

    // Keys as the vendor's clients write them.

    private struct Dashboard: Encodable {
        var dashboardName: String
        var displayName: String
        var description: String
        var attribute: [String: String] = [:]
        var charts: [Chart]
    }

    private struct Chart: Encodable {
        struct Search: Encodable {
            var logstore: String
            var topic = ""
            var query: String
            var start = "-86400s"
            var end = "now"
            var timeSpanType = "custom"
        }

        struct Display: Encodable {
            var xAxis: [String]
            var yAxis: [String]
            var xPos: Int
            var yPos: Int
            var width: Int
            var height = 5
            var displayName: String
        }

        var title: String
        var type: String
        var search: Search
        var display: Display
    }
}
