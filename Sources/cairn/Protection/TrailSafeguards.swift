// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The role in whose name trails deliver.
struct DeliveryRole: Safeguard {
    static let name = "AliyunServiceRoleForActionTrail"

    let what = "service-linked role"
    let wanted = Self.name
    let evidence = "GetRole"

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let answer = try await site.ask("GetRole", [("RoleName", Self.name)], of: .access) else { return .wanting("none") }
        return .inPlace((answer["Role"] as? [String: Any])?["RoleName"] as? String ?? Self.name)
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        _ = try await site.api.call("CreateServiceLinkedRole", [("ServiceName", "actiontrail.aliyuncs.com")], of: .access)
    }
}

/// A trail of everything to the bucket.
struct CompleteTrail: Safeguard {
    let what = "trail"
    let wanted = "all events of all regions to the bucket"
    let evidence = "DescribeTrails"

    /// The trail of a name, as the service tells of it.
    static func read(_ api: APIClient, _ name: String) async throws -> [String: Any]? {
        let trails = try await api.call("DescribeTrails", [("NameList", name)])["TrailList"] as? [[String: Any]] ?? []
        return trails.first { $0["Name"] as? String == name }
    }

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let trail = try await Self.read(site.api, site.trail) else { return .wanting("none") }
        func text(_ name: String) -> String { trail[name] as? String ?? "" }
        let bucket = text("OssBucketName")
        guard bucket.isEmpty || bucket == site.bucket else {
            throw Failure.no(
                "the trail \(site.trail) delivers to the bucket \(bucket): protect that one with --bucket \(bucket), or let the "
                    + "trail deliver to the other first, with: cairn trail update \(site.trail) --bucket \(site.bucket)")
        }
        let isComplete = text("EventRW") == "All" && text("TrailRegion") == "All" && !bucket.isEmpty
        return Finding(
            text: "events \(text("EventRW")), regions \(text("TrailRegion")), bucket \(bucket.isEmpty ? "none" : bucket)",
            isInPlace: isComplete)
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        let exists = try await Self.read(site.api, site.trail) != nil
        _ = try await site.api.call(
            exists ? "UpdateTrail" : "CreateTrail",
            [("Name", site.trail), ("OssBucketName", site.bucket), ("EventRW", "All"), ("TrailRegion", "All")])
    }
}

/// The trail delivers.
struct StartedLogging: Safeguard {
    let what = "logging"
    let wanted = "on"
    let evidence = "GetTrailStatus"

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let status = try await site.ask("GetTrailStatus", [("Name", site.trail)], of: .actionTrail) else {
            return .wanting("no trail")
        }
        let isLogging = status["IsLogging"] as? Bool == true
        return Finding(text: isLogging ? "on" : "off", isInPlace: isLogging)
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        _ = try await site.api.call("StartLogging", [("Name", site.trail)])
    }
}
