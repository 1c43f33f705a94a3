// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Trails

/// Delivery history jobs: actiontrail.md section 10. Here they deliver to the trail's bucket and to its logstore.
extension RPCOperation {
    static let createDeliveryHistoryJob = RPCOperation("CreateDeliveryHistoryJob", isWrite: true, namedBy: "TrailName") {
        context in
        let name = try context.required("TrailName")
        let token = context.filled("ClientToken")
        guard token?.utf8.count ?? 0 <= 64 else { throw RPCError.invalidParameter("ClientToken is longer than 64 characters.") }
        let history = context.services.history
        let job = try context.services.trails.createJob(
            trail: name, account: context.accountId, clientToken: token,
            held: history.firstSequence..<history.endSequence, retentionDays: context.services.retentionDays,
            at: context.services.now())
        var answer = JSONFields()
        answer.add(job.id, "JobId")
        return RPCAnswer(answer)
    }

    static let getDeliveryHistoryJob = RPCOperation(
        "GetDeliveryHistoryJob", isWrite: false, resourceType: nil, permission: ofJob("GetDeliveryHistoryJob")
    ) { context in
        let id = try context.jobId()
        guard let job = try context.services.trails.job(id, account: context.accountId) else {
            throw TrailError.jobNotFound(id)
        }
        var answer = JSONFields(job)
        var region = JSONFields()
        region.add(job.homeRegion, "Region")
        region.add(job.status.rawValue, "Status")
        answer.add([region], "Status")
        answer.add(job.lastError, "LatestDeliveryError")
        return RPCAnswer(answer)
    }

    static let listDeliveryHistoryJobs = RPCOperation("ListDeliveryHistoryJobs", isWrite: false, resourceType: nil) { context in
        let page = try context.integer("PageNumber", in: 1...1_000_000, default: 1)
        let size = try context.integer("PageSize", in: 1...100, default: 20)
        let jobs = try context.services.trails.jobs(account: context.accountId).reversed()
        var answer = JSONFields()
        answer.add(jobs.dropFirst((page - 1) * size).prefix(size).map(JSONFields.init), "DeliveryHistoryJobs")
        answer.add(page, "PageNumber")
        answer.add(size, "PageSize")
        answer.add(jobs.count, "TotalCount")
        return RPCAnswer(answer)
    }

    static let deleteDeliveryHistoryJob = RPCOperation(
        "DeleteDeliveryHistoryJob", isWrite: true, resourceType: nil, permission: ofJob("DeleteDeliveryHistoryJob")
    ) { context in
        try context.services.trails.deleteJob(try context.jobId(), account: context.accountId)
        return RPCAnswer()
    }

    /// On the trail that the job is of; on all trails for a job that is not there.
    private static func ofJob(_ action: String) -> RPCPermission {
        .requests { context in
            let job = try context.services.trails.job(try context.jobId(), account: context.accountId)
            return [context.trailRequest(action, job?.trailName)]
        }
    }
}

extension RPCContext {
    fileprivate func jobId() throws(RPCError) -> Int { try integer("JobId", in: 0...Int(Int32.max), default: nil) }
}

extension JSONFields {
    fileprivate init(_ job: HistoryJob) {
        self.init()
        add(job.id, "JobId")
        add(job.trailName, "TrailName")
        add(job.homeRegion, "HomeRegion")
        add(job.status.rawValue, "JobStatus")
        add(wireTime(job.createdAt), "CreatedTime")
        add(wireTime(job.updatedAt), "UpdatedTime")
        add(wireTime(job.startTime), "StartTime")
        add(wireTime(job.endTime), "EndTime")
    }
}
