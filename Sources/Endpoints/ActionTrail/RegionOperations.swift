// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension RPCOperation {
    /// DescribeRegions: nested as section 12 shows; a self-hosted service has the region it was given.
    static let describeRegions = RPCOperation("DescribeRegions", isWrite: false, resourceType: nil) { context in
        var region = JSONFields()
        region.add(context.services.region, "RegionId")
        region.add(context.host, "RegionEndpoint")
        region.add(context.services.region, "LocalName")
        var list = JSONFields()
        list.add([region], "Region")
        var answer = JSONFields()
        answer.add(list, "Regions")
        return RPCAnswer(answer)
    }

    static let getGlobalEventsStorageRegion = RPCOperation(
        "GetGlobalEventsStorageRegion", isWrite: false, resourceType: nil
    ) { context in
        var answer = JSONFields()
        answer.add(context.services.region, "StorageRegion")
        return RPCAnswer(answer)
    }

    /// GetDataEventSelector: no trail has one yet. Terraform asks on every read of a trail (section 14).
    static let getDataEventSelector = RPCOperation("GetDataEventSelector", isWrite: false, namedBy: "TrailName") { context in
        let name = try context.required("TrailName")
        guard let trail = try context.services.trails.trail(name, account: context.accountId) else {
            throw RPCError(404, "TrailNotFoundException", "The specified Trail does not exist.")
        }
        var answer = JSONFields()
        answer.add(trail.arn, "TrailArn")
        answer.add("", "DataEventSelectors")
        answer.add(false, "IsTrailAllRegion")
        answer.add([], "SlsDeliveryConfigs")
        return RPCAnswer(answer)
    }
}
