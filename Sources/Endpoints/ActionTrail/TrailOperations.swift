// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Trails

extension RPCOperation {
    /// CreateTrail: actiontrail.md section 8.1.
    static let createTrail = RPCOperation("CreateTrail", isWrite: true) { context in
        let name = try context.required("Name")
        try TrailRules.checkName(name)
        let role = TrailRole.linkedARN(account: context.accountId)
        let bucket = context["OssBucketName"] ?? ""
        var trail = Trail(
            id: UUID().uuidString.lowercased().replacingOccurrences(of: "-", with: ""), name: name,
            accountId: context.accountId, homeRegion: context.filled("RegionId") ?? context.services.region,
            trailRegion: try TrailRules.region(context.filled("TrailRegion") ?? "All"),
            selection: try TrailRules.selection(context.filled("EventRW") ?? "All"), ossBucketName: bucket,
            ossKeyPrefix: context["OssKeyPrefix"] ?? "", createdAt: context.services.now())
        trail.slsProjectArn = context["SlsProjectArn"] ?? ""
        trail.maxComputeProjectArn = context["MaxComputeProjectArn"] ?? ""
        if !bucket.isEmpty { trail.ossWriteRoleArn = context.filled("OssWriteRoleArn") ?? role }
        if !trail.slsProjectArn.isEmpty { trail.slsWriteRoleArn = context.filled("SlsWriteRoleArn") ?? role }
        trail.isOrganizationTrail = try context.flag("IsOrganizationTrail")
        _ = try TrailRules.region(trail.homeRegion)
        try TrailRules.checkPrefix(trail.ossKeyPrefix)
        try TrailRules.checkDestination(trail)
        guard !trail.isOrganizationTrail else {
            throw RPCError(
                400, "NotAllowCreateOrganizationTrail", "This service has no resource directory: a trail is of one account.")
        }
        if try context.services.trails.trail(name, account: context.accountId) != nil {
            throw TrailError.alreadyExists(name: name, region: trail.homeRegion)
        }
        try TrailBucket.check(bucket, prefix: trail.ossKeyPrefix, in: context)
        try TrailRules.checkOtherDestinations(trail)
        try TrailLogstore.check(trail, in: context)
        try TrailRole.check([trail.ossWriteRoleArn, trail.slsWriteRoleArn], in: context)
        try context.services.trails.create(trail)
        do { try await TrailLogstore.make(for: trail, in: context.services) } catch {
            try context.services.trails.delete(name, account: context.accountId)
            throw error
        }
        return RPCAnswer(JSONFields(destinationOf: trail))
    }

    /// UpdateTrail: absent parameters keep their value, an empty one clears it (section 8.3).
    static let updateTrail = RPCOperation("UpdateTrail", isWrite: true) { context in
        let name = try context.required("Name")
        guard let before = try context.services.trails.trail(name, account: context.accountId) else {
            throw TrailError.notFound(name)
        }
        // Before the change's transaction, which reads nothing but trails.
        let bucket = context["OssBucketName"] ?? before.ossBucketName
        let prefix = context["OssKeyPrefix"] ?? before.ossKeyPrefix
        if bucket != before.ossBucketName || prefix != before.ossKeyPrefix {
            try TrailBucket.check(bucket, prefix: prefix, in: context)
        }
        var moved = before
        moved.slsProjectArn = context["SlsProjectArn"] ?? before.slsProjectArn
        if moved.slsProjectArn != before.slsProjectArn { try TrailLogstore.check(moved, in: context) }
        try TrailRole.check(
            ["OssWriteRoleArn", "SlsWriteRoleArn", "MaxComputeWriteRoleArn"].compactMap { context[$0] }, in: context)
        let role = TrailRole.linkedARN(account: context.accountId)
        let services = context.services
        let trail = try services.trails.update(name, account: context.accountId, at: services.history.endSequence) { trail in
            trail.ossBucketName = context["OssBucketName"] ?? trail.ossBucketName
            if let prefix = context["OssKeyPrefix"] {
                try TrailRules.checkPrefix(prefix)
                trail.ossKeyPrefix = prefix
            }
            trail.ossWriteRoleArn = context["OssWriteRoleArn"] ?? trail.ossWriteRoleArn
            trail.slsProjectArn = context["SlsProjectArn"] ?? trail.slsProjectArn
            trail.slsWriteRoleArn = context["SlsWriteRoleArn"] ?? trail.slsWriteRoleArn
            trail.maxComputeProjectArn = context["MaxComputeProjectArn"] ?? trail.maxComputeProjectArn
            trail.maxComputeWriteRoleArn = context["MaxComputeWriteRoleArn"] ?? trail.maxComputeWriteRoleArn
            if let selection = context["EventRW"], !selection.isEmpty {
                trail.selection = try TrailRules.selection(selection)
            }
            if let region = context["TrailRegion"], !region.isEmpty { trail.trailRegion = try TrailRules.region(region) }
            // A destination that is added works in a role too.
            if !trail.ossBucketName.isEmpty, trail.ossWriteRoleArn.isEmpty { trail.ossWriteRoleArn = role }
            if !trail.slsProjectArn.isEmpty, trail.slsWriteRoleArn.isEmpty { trail.slsWriteRoleArn = role }
            try TrailRules.checkDestination(trail)
            try TrailRules.checkOtherDestinations(trail)
        }
        if trail.slsProjectArn != before.slsProjectArn {
            // What fails here is done, or told, by the delivery.
            try? await TrailLogstore.make(for: trail, in: services)
            try? await services.logTargets.carryOutReleases(of: services.trails)
        }
        return RPCAnswer(JSONFields(destinationOf: trail), weakening: TrailRules.weakening(from: before, to: trail))
    }

    static let deleteTrail = RPCOperation("DeleteTrail", isWrite: true) { context in
        let name = try context.required("Name")
        let services = context.services
        try services.trails.delete(name, account: context.accountId)
        // What fails here is done by the delivery.
        try? await services.logTargets.carryOutReleases(of: services.trails)
        return RPCAnswer(weakening: "deletes the trail \(name)")
    }

    /// StartLogging: a trail delivers what is recorded from here on, this call first.
    static let startLogging = RPCOperation("StartLogging", isWrite: true) { context in
        try context.services.trails.start(
            try context.required("Name"), account: context.accountId, at: context.services.history.endSequence)
        return RPCAnswer()
    }

    /// StopLogging: the event that tells of the stop is the last one delivered.
    static let stopLogging = RPCOperation("StopLogging", isWrite: true) { context in
        let name = try context.required("Name")
        let trails = context.services.trails
        let account = context.accountId
        try trails.stop(name, account: account)
        return RPCAnswer(
            weakening: "stops the trail \(name)",
            afterRecording: { sequence in try trails.sealStop(name, account: account, at: sequence + 1) })
    }

    /// DescribeTrails: unknown names give fewer trails, not an error (section 8.4).
    static let describeTrails = RPCOperation(
        "DescribeTrails", isWrite: false, resourceType: nil,
        permission: .requests { context in
            context.namesOfList()?.map { context.trailRequest("DescribeTrails", $0) }
                ?? [context.trailRequest("DescribeTrails", nil)]
        }
    ) { context in
        var trails = try context.services.trails.trails(account: context.accountId)
        if let names = context.namesOfList() { trails = trails.filter { names.contains($0.name) } }
        _ = try context.flag("IncludeShadowTrails")
        _ = try context.flag("IncludeOrganizationTrail")
        var answer = JSONFields()
        answer.add(
            trails.map { trail in
                var fields = JSONFields(destinationOf: trail)
                fields.add(trail.arn, "TrailArn")
                fields.add(trail.homeRegion, "Region")
                fields.add(trail.status.rawValue, "Status")
                fields.add(wireTime(trail.createdAt), "CreateTime")
                fields.add(wireTime(trail.updatedAt), "UpdateTime")
                fields.add(trail.startedAt.map(wireTime), "StartLoggingTime")
                fields.add(trail.stoppedAt.map(wireTime), "StopLoggingTime")
                fields.add(trail.ossBucketName.isEmpty ? "" : "oss-\(trail.homeRegion)", "OssBucketLocation")
                fields.add(trail.isOrganizationTrail, "IsOrganizationTrail")
                return fields
            }, "TrailList")
        return RPCAnswer(answer)
    }

    /// GetTrailStatus: section 8.5.
    static let getTrailStatus = RPCOperation("GetTrailStatus", isWrite: false) { context in
        let name = try context.required("Name")
        guard let trail = try context.services.trails.trail(name, account: context.accountId) else {
            throw TrailError.notFound(name)
        }
        let services = context.services
        let state = try services.trails.deliveryState(of: trail)
        let logs = try services.trails.logDeliveryState(of: trail)
        var answer = JSONFields()
        answer.add(trail.status == .enabled, "IsLogging")
        answer.add(try TrailBucket.exists(trail, in: services), "OssBucketStatus")
        answer.add(TrailLogstore.exists(trail, logs, in: services), "SlsLogStoreStatus")
        answer.add(trail.startedAt.map(wireTime), "StartLoggingTime")
        answer.add(trail.stoppedAt.map(wireTime), "StopLoggingTime")
        answer.add(state.lastDeliveredAt.map(wireTime), "LatestDeliveryTime")
        answer.add(state.lastError, "LatestDeliveryError")
        answer.add(logs.lastDeliveredAt.map(wireTime), "LatestDeliveryLogServiceTime")
        answer.add(logs.lastError, "LatestDeliveryLogServiceError")
        // Cairn's own: how far the delivery is.
        answer.add(state.deliveredEvents, "DeliveredEventCount")
        answer.add(state.deliveredObjects, "DeliveredObjectCount")
        if let protection = state.protection { answer.add(JSONFields(protection), "DeliveryTarget") }
        let end = services.history.endSequence
        if trail.status == .enabled, !trail.ossBucketName.isEmpty {
            answer.add(end > state.next ? end - state.next : 0, "WaitingEventCount")
        }
        guard !trail.slsProjectArn.isEmpty else { return RPCAnswer(answer) }
        answer.add(logs.deliveredEvents, "DeliveredLogCount")
        answer.add(logs.parkedEvents, "ParkedEventCount")
        if !logs.parked.isEmpty { answer.add(logs.parked.map { JSONFields($0) }, "ParkedEvents") }
        if let readiness = logs.readiness { answer.add(JSONFields(readiness), "LogDeliveryTarget") }
        if trail.status == .enabled { answer.add(end > logs.next ? end - logs.next : 0, "WaitingLogCount") }
        return RPCAnswer(answer)
    }
}

extension RPCContext {
    /// Of `NameList`, parted by commas; nil if none was sent.
    fileprivate func namesOfList() -> [String]? {
        filled("NameList")?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
