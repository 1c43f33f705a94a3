// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct TrailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trail", abstract: "Trails: what is delivered where.",
        subcommands: [
            Create.self, Update.self, List.self, Status.self, Start.self, Stop.self, Delete.self, Backfill.self,
        ])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Create a trail to a bucket.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "6 to 36 characters: a lower-case letter, then lower-case letters, digits, - and _.") var name: String
        @Option(help: "Bucket to deliver to.") var bucket: String
        @Option(help: "Prefix of the keys, 6 to 32 characters.") var prefix: String?
        @Option(help: "Write, Read or All.") var events = "All"
        @Option(help: "All, or region ids separated by commas.") var regions = "All"
        @Flag(help: "Start logging at once.") var start = false

        func run() async throws {
            let client = try connection.client()
            var parameters = [("Name", name), ("OssBucketName", bucket), ("EventRW", events), ("TrailRegion", regions)]
            if let prefix { parameters.append(("OssKeyPrefix", prefix)) }
            _ = try await client.call("CreateTrail", parameters)
            if start { _ = try await client.call("StartLogging", [("Name", name)]) }
            print(
                start ? "trail \(name) delivers to \(bucket)" : "trail \(name) created; start it with: cairn trail start \(name)")
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Change a trail; what is not given stays as it is.")
        @OptionGroup var connection: ConnectionOptions
        @Argument var name: String
        @Option(help: "Bucket to deliver to.") var bucket: String?
        @Option(help: "Prefix of the keys; empty for none.") var prefix: String?
        @Option(help: "Write, Read or All.") var events: String?
        @Option(help: "All, or region ids separated by commas.") var regions: String?

        func run() async throws {
            var parameters = [("Name", name)]
            if let bucket { parameters.append(("OssBucketName", bucket)) }
            if let prefix { parameters.append(("OssKeyPrefix", prefix)) }
            if let events { parameters.append(("EventRW", events)) }
            if let regions { parameters.append(("TrailRegion", regions)) }
            _ = try await connection.client().call("UpdateTrail", parameters)
            print("trail \(name) changed")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the trails of the account.")
        @OptionGroup var connection: ConnectionOptions
        @Option(help: "table or json.") var output = OutputForm.table

        func run() async throws {
            let answer = try await connection.client().call("DescribeTrails")
            let trails = answer["TrailList"] as? [[String: Any]] ?? []
            if output == .json { return try printJSON(trails) }
            guard !trails.isEmpty else { return print("no trails") }
            Terminal.table(
                ["NAME", "STATUS", "EVENTS", "REGIONS", "BUCKET", "PREFIX", "CREATED"],
                trails.map { trail in
                    ["Name", "Status", "EventRW", "TrailRegion", "OssBucketName", "OssKeyPrefix", "CreateTime"].map {
                        trail[$0] as? String ?? ""
                    }
                })
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show whether a trail logs, and how far its delivery is.")
        @OptionGroup var connection: ConnectionOptions
        @Argument var name: String
        @Option(help: "table or json.") var output = OutputForm.table

        func run() async throws {
            let answer = try await connection.client().call("GetTrailStatus", [("Name", name)])
            if output == .json { return try printJSON(answer) }
            let fields = [
                "IsLogging", "StartLoggingTime", "StopLoggingTime", "LatestDeliveryTime", "LatestDeliveryError",
                "OssBucketStatus",
                "DeliveredEventCount", "DeliveredObjectCount", "WaitingEventCount",
            ]
            for field in fields where answer[field] != nil {
                let value = answer[field]!
                let text =
                    field == "IsLogging" || field == "OssBucketStatus" ? (value as? Bool == true ? "yes" : "no") : "\(value)"
                print(field.padding(toLength: 22, withPad: " ", startingAt: 0) + text)
            }
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Start logging.")
        @OptionGroup var connection: ConnectionOptions
        @Argument var name: String

        func run() async throws {
            _ = try await connection.client().call("StartLogging", [("Name", name)])
            print("trail \(name) is logging")
        }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Stop logging.")
        @OptionGroup var connection: ConnectionOptions
        @Argument var name: String

        func run() async throws {
            _ = try await connection.client().call("StopLogging", [("Name", name)])
            print("trail \(name) is not logging any more")
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a trail; delivered objects stay.")
        @OptionGroup var connection: ConnectionOptions
        @Argument var name: String

        func run() async throws {
            _ = try await connection.client().call("DeleteTrail", [("Name", name)])
            print("trail \(name) deleted; what it delivered stays in its bucket")
        }
    }

    struct Backfill: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deliver what is held and was not delivered by the trail yet (a delivery history job).")
        @OptionGroup var connection: ConnectionOptions
        @Argument var name: String
        @Flag(help: "Wait until the job is done.") var wait = false

        func run() async throws {
            let client = try connection.client()
            let answer = try await client.call("CreateDeliveryHistoryJob", [("TrailName", name)])
            guard let id = answer["JobId"] as? Int else { throw Failure.no("the service gave no job id") }
            print("delivery history job \(id) created")
            guard wait else { return }
            while true {
                let job = try await client.call("GetDeliveryHistoryJob", [("JobId", String(id))])
                switch job["JobStatus"] as? Int {
                case 2:
                    Terminal.endProgress()
                    return print("delivery history job \(id) is done")
                case 3: throw Failure.no("delivery history job \(id) failed: \(job["LatestDeliveryError"] ?? "")")
                default: Terminal.progress("delivery history job \(id) is delivering")
                }
                try await Task.sleep(for: .milliseconds(300))
            }
        }
    }
}

func printJSON(_ value: Any) throws {
    let data = try JSONSerialization.data(
        withJSONObject: value, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
    print(String(decoding: data, as: UTF8.self))
}
