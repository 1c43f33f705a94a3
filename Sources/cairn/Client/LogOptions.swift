// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// Which logstore of which log service.
struct LogOptions: ParsableArguments {
    @OptionGroup var connection: ConnectionOptions

    @Option(
        help: ArgumentHelp(
            "URL of the sls port, or of any SLS endpoint.",
            discussion: "Default: $CAIRN_SLS_ENDPOINT, else http://127.0.0.1:8422. Signed for the region $CAIRN_REGION."))
    var sls: String?
    @Option(help: "Project of the logstore.") var project: String?
    @Option(help: "Logstore.") var logstore: String?
    @Option(help: "Trail whose logstore it is.") var trail: String?

    func client() throws -> LogClient {
        let environment = ProcessInfo.processInfo.environment
        func filled(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let (id, secret) = try connection.credentials(environment)
        return LogClient(
            endpoint: sls ?? filled("CAIRN_SLS_ENDPOINT") ?? "http://127.0.0.1:8422", accessKeyId: id, secret: secret,
            region: filled("CAIRN_REGION") ?? "local-1")
    }

    var isNamed: Bool { project != nil || logstore != nil || trail != nil }

    /// The logstore that is named, or that of the only trail that fits what is named.
    func place() async throws -> LogstorePlace {
        if let project, let logstore, trail == nil { return LogstorePlace(project: project, logstore: logstore) }
        let answer = try await connection.client().call("DescribeTrails")
        let all = (answer["TrailList"] as? [[String: Any]] ?? []).compactMap(TrailLogstore.init)
        let fitting = all.filter { candidate in
            (trail ?? candidate.trail) == candidate.trail && (project ?? candidate.place.project) == candidate.place.project
                && (logstore ?? candidate.place.logstore) == candidate.place.logstore
        }
        if fitting.count == 1 { return fitting[0].place }
        guard !all.isEmpty else {
            throw Failure.usage("no trail delivers to a logstore: name one with --project and --logstore")
        }
        let list = (fitting.isEmpty ? all : fitting).map {
            "  --trail \($0.trail)  (--project \($0.place.project) --logstore \($0.place.logstore))"
        }
        throw Failure.usage(
            (fitting.isEmpty ? "no trail with this logstore; there are:" : "which logstore? There are:") + "\n"
                + list.joined(separator: "\n"))
    }
}

/// A trail that delivers to a logstore.
private struct TrailLogstore {
    var trail: String
    var place: LogstorePlace

    /// - Parameter trail: an entry of DescribeTrails; its project's ARN is `acs:log:<region>:<account>:project/<name>`.
    init?(_ trail: [String: Any]) {
        guard let name = trail["Name"] as? String, let arn = trail["SlsProjectArn"] as? String,
            let mark = arn.range(of: ":project/"), mark.upperBound < arn.endIndex
        else { return nil }
        self.trail = name
        place = LogstorePlace(project: String(arn[mark.upperBound...]), logstore: "actiontrail_" + name)
    }
}
