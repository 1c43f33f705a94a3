// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import Testing

@Suite struct RegistryTrailTests {
    @Test func theTrailsIndexSaysItsConfiguration() throws {
        #expect(try LogRegistry.configuration(ofIndex: TrailIndex.json) == TrailIndex.configuration)
        guard case .json(let event)? = TrailIndex.configuration.fields["event"] else {
            Issue.record("no JSON field for the event")
            return
        }
        // Paths that the vendor's rules and documents use.
        for path in [
            "eventName", "userIdentity.userName", "userIdentity.accessKeyId", "requestParameterJson", "resourceName",
            "additionalEventData.mfaChecked", "insightDetails.insightType", "eventRW", "recipientAccountId",
        ] {
            #expect(event.leaves[path] == .init(kind: .text(.init()), isColumn: true), "\(path)")
        }
        #expect(event.indexesAll && event.isColumn && event.maxDepth == nil)
    }

    @Test func theTrailsIndexIsReturnedAsItIs() throws {
        let fixture = try RegistryFixture()
        try fixture.registry.setIndex(TrailIndex.json, logstore: "audit", project: "trails", isNew: true)
        #expect(try fixture.registry.index(logstore: "audit", project: "trails") == TrailIndex.json)
    }

    @Test func theDashboardAsksTheLogstore() throws {
        let fixture = try RegistryFixture()
        let json = try TrailDashboard.json(logstore: "actiontrail_demo")
        try fixture.registry.createDocument(.dashboard, json, project: "trails")
        #expect(
            try fixture.registry.document(.dashboard, "actiontrail_demo_audit_center_en", project: "trails") == json)
        struct Dashboard: Decodable {
            struct Chart: Decodable {
                struct Search: Decodable {
                    var logstore: String
                    var query: String
                }
                var title: String
                var search: Search
            }
            var dashboardName: String
            var charts: [Chart]
        }
        let dashboard = try JSONDecoder().decode(Dashboard.self, from: json)
        #expect(dashboard.dashboardName == TrailDashboard.name(logstore: "actiontrail_demo"))
        #expect(dashboard.charts.count == 5)
        #expect(dashboard.charts.allSatisfy { $0.search.logstore == "actiontrail_demo" && $0.search.query.contains("| select") })
    }
}
