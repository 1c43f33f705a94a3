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
        static let configuration = CommandConfiguration(abstract: "Create a trail to a bucket, to Log Service, or to both.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "6 to 36 characters: a lower-case letter, then lower-case letters, digits, - and _.") var name: String
        @Option(help: "Bucket to deliver to.") var bucket: String?
        @Option(help: "Prefix of the keys, 6 to 32 characters.") var prefix: String?
        @Option(help: "Log Service project to deliver to, by name or ARN; the logstore is actiontrail_NAME.") var slsProject:
            String?
        @Option(help: "Write, Read or All.") var events = "All"
        @Option(help: "All, or region ids separated by commas.") var regions = "All"
        @Flag(help: "Start logging at once.") var start = false

        func validate() throws {
            guard bucket != nil || slsProject != nil else {
                throw ValidationError("Give --bucket, --sls-project, or both: a trail needs a place to deliver to.")
            }
        }

        func run() async throws {
            let client = try connection.client()
            var parameters = [("Name", name), ("EventRW", events), ("TrailRegion", regions)]
            if let bucket { parameters.append(("OssBucketName", bucket)) }
            if let prefix { parameters.append(("OssKeyPrefix", prefix)) }
            if let slsProject { parameters.append(("SlsProjectArn", try await client.projectARN(slsProject))) }
            _ = try await client.call("CreateTrail", parameters)
            if start { _ = try await client.call("StartLogging", [("Name", name)]) }
            let places = [bucket, slsProject.map { "the project " + $0 }].compactMap { $0 }.joined(separator: " and to ")
            print(
                start ? "trail \(name) delivers to \(places)" : "trail \(name) created; start it with: cairn trail start \(name)")
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Change a trail; what is not given stays as it is.")
        @OptionGroup var connection: ConnectionOptions
        @Argument var name: String
        @Option(help: "Bucket to deliver to; empty for none.") var bucket: String?
        @Option(help: "Prefix of the keys; empty for none.") var prefix: String?
        @Option(help: "Log Service project to deliver to, by name or ARN; empty for none.") var slsProject: String?
        @Option(help: "Write, Read or All.") var events: String?
        @Option(help: "All, or region ids separated by commas.") var regions: String?

        func run() async throws {
            let client = try connection.client()
            var parameters = [("Name", name)]
            if let bucket { parameters.append(("OssBucketName", bucket)) }
            if let prefix { parameters.append(("OssKeyPrefix", prefix)) }
            if let slsProject { parameters.append(("SlsProjectArn", try await client.projectARN(slsProject))) }
            if let events { parameters.append(("EventRW", events)) }
            if let regions { parameters.append(("TrailRegion", regions)) }
            _ = try await client.call("UpdateTrail", parameters)
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
                ["NAME", "STATUS", "EVENTS", "REGIONS", "BUCKET", "PREFIX", "PROJECT", "CREATED"],
                trails.map { trail in
                    func text(_ field: String) -> String { trail[field] as? String ?? "" }
                    let project = text("SlsProjectArn").split(separator: "/").last.map { String($0) } ?? ""
                    return ["Name", "Status", "EventRW", "TrailRegion", "OssBucketName", "OssKeyPrefix"].map(text)
                        + [project, text("CreateTime")]
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
                "OssBucketStatus", "DeliveredEventCount", "DeliveredObjectCount", "WaitingEventCount",
                "LatestDeliveryLogServiceTime", "LatestDeliveryLogServiceError", "SlsLogStoreStatus", "DeliveredLogCount",
                "WaitingLogCount", "ParkedEventCount",
            ]
            let flags: Set = ["IsLogging", "OssBucketStatus", "SlsLogStoreStatus"]
            for field in fields {
                guard let value = answer[field] else { continue }
                let text = flags.contains(field) ? (value as? Bool == true ? "yes" : "no") : "\(value)"
                print(field.padding(toLength: 31, withPad: " ", startingAt: 0) + text)
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
        static let configuration = CommandConfiguration(abstract: "Delete a trail; what it delivered stays.")
        @OptionGroup var connection: ConnectionOptions
        @Argument var name: String

        func run() async throws {
            _ = try await connection.client().call("DeleteTrail", [("Name", name)])
            print("trail \(name) deleted; what it delivered stays where it is")
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

extension APIClient {
    /// The ARN of a Log Service project of the caller's account, in the service's region; an ARN, or nothing, stays as it is.
    fileprivate func projectARN(_ text: String) async throws -> String {
        guard !text.isEmpty, !text.hasPrefix("acs:") else { return text }
        let account = try await call("GetCallerIdentity", of: .tokens)["AccountId"] as? String
        let regions = try await call("DescribeRegions")["Regions"] as? [String: Any]
        guard let account, let region = (regions?["Region"] as? [[String: Any]])?.first?["RegionId"] as? String else {
            throw Failure.no("the service does not tell account and region: give the project's ARN")
        }
        return "acs:log:\(region):\(account):project/\(text)"
    }
}

func printJSON(_ value: Any) throws {
    let data = try JSONSerialization.data(
        withJSONObject: value, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
    print(String(decoding: data, as: UTF8.self))
}
