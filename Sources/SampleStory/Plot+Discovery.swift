// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension Plot {
    private var finder: String { Company.securityPerson }

    package mutating func findOut(_ company: Company) {
        add("AasSub.ConsoleSignin", by: finder, wait: 0)
        add("Actiontrail.GetTrailStatus", by: finder, wait: 36)
        add("Actiontrail.StartLogging", by: finder, wait: 29)
        add(
            "Actiontrail.LookupEvents", by: finder, wait: 24,
            [.attribute: "EventName", .user: "StopLogging"])
        add(
            "Actiontrail.LookupEvents", by: finder, wait: 52,
            [.attribute: "User", .user: Company.backdoorUser])
        add("Ram.ListPoliciesForUser", by: finder, wait: 31, [.user: Company.backdoorUser])
        add(
            "Actiontrail.LookupEvents", by: finder, wait: 47,
            [.attribute: "EventAccessKeyId", .user: company.pipelineKey])
        add("Actiontrail.GetAccessKeyLastUsedInfo", by: finder, wait: 19, [.keyId: company.pipelineKey])
    }

    package mutating func stopIntruder(_ company: Company) {
        let backdoor = Company.backdoorUser
        let pipeline = Company.pipelineUser
        add("Ram.UpdateAccessKey", by: finder, wait: 38, [.user: backdoor, .keyId: company.backdoorKey])
        add("Ram.CreateAccessKey", by: finder, wait: 26, [.user: pipeline, .keyId: company.rotatedPipelineKey])
        markRotation()
        add("Ram.UpdateAccessKey", by: finder, wait: 21, [.user: pipeline, .keyId: company.pipelineKey])
        add("Ram.DetachPolicyFromUser", by: finder, wait: 33, [.user: backdoor, .policy: "AdministratorAccess"])
        add("Ram.DeleteAccessKey", by: finder, wait: 12, [.user: backdoor, .keyId: company.backdoorKey])
        add("Ram.DeleteUser", by: finder, wait: 17, [.user: backdoor])
    }

    package mutating func repair(_ company: Company) {
        add("Oss.GetBucketAcl", by: finder, wait: 58, [.bucket: Company.customerBucket])
        add("Oss.PutBucketAcl", by: finder, wait: 13, [.bucket: Company.customerBucket, .acl: "private"])
        add("Ram.GetRole", by: finder, wait: 66, [.role: Company.backupRole])
        add("Ram.UpdateRole", by: finder, wait: 45, [.role: Company.backupRole, .trusted: company.account])
        add("Kms.EnableKey", by: finder, wait: 39, [.key: company.first(.key)])
        add("Ecs.DescribeInstances", by: finder, wait: 28, [.region: company.unusualRegion])
        for instance in Plot.minedInstances {
            add(
                "Ecs.DeleteInstances", by: finder, wait: 16,
                [.region: company.unusualRegion, .instance: instance])
        }
        add("Actiontrail.GetTrailStatus", by: finder, wait: 54)
        add("AasSub.ConsoleSignout", by: finder, wait: 320)
    }
}
