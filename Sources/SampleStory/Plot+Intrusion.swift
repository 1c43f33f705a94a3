// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension Plot {
    package mutating func lookAround(_ company: Company) {
        let intruder = Persona.leakedKey
        add("Sts.GetCallerIdentity", by: intruder, wait: 0)
        add("Oss.ListBuckets", by: intruder, wait: 9)
        add("Ram.ListUsers", by: intruder, wait: 21)
        add("Ecs.DescribeInstances", by: intruder, wait: 14)
        add("Ecs.DescribeInstances", by: intruder, wait: 6, [.region: company.unusualRegion])
        add("Rds.DescribeDBInstances", by: intruder, wait: 11, outcome: .noPermission)
        add("Kms.ListKeys", by: intruder, wait: 8, outcome: .noPermission)
        add("Actiontrail.DescribeTrails", by: intruder, wait: 7, outcome: .noPermission)
        add("Ram.ListRoles", by: intruder, wait: 33)
        add("Ram.GetUser", by: intruder, wait: 12, [.user: Company.pipelineUser])
        add("Ram.ListPoliciesForUser", by: intruder, wait: 5, [.user: Company.pipelineUser])
        add("Sts.AssumeRole", by: intruder, wait: 44, outcome: .noPermission, [.role: "ops-admin"])
        add("Sts.AssumeRole", by: intruder, wait: 9, outcome: .noPermission, [.role: Company.backupRole])
        add("Oss.GetBucketAcl", by: intruder, wait: 26, outcome: .noPermission, [.bucket: Company.customerBucket])
        add("Oss.ListObjects", by: intruder, wait: 4, outcome: .noPermission, [.bucket: Company.customerBucket])
    }

    /// The pipeline's user was allowed to manage users, which nobody had noticed.
    package mutating func takePower(_ company: Company) {
        let intruder = Persona.leakedKey
        let user = Company.backdoorUser
        add("Ram.CreateUser", by: intruder, wait: 187, [.user: user])
        add("Ram.CreateAccessKey", by: intruder, wait: 11, [.user: user, .keyId: company.backdoorKey])
        add(
            "Ram.AttachPolicyToUser", by: intruder, wait: 16, [.user: user, .policy: "AdministratorAccess"])
        markDecisive()
        add("Ram.ListPoliciesForUser", by: intruder, wait: 9, [.user: user])
    }

    package mutating func takeData() {
        let intruder = Persona.backdoor
        add("Sts.GetCallerIdentity", by: intruder, wait: 71)
        add("Oss.ListBuckets", by: intruder, wait: 8)
        for page in 0..<3 {
            add("Oss.ListObjects", by: intruder, wait: page == 0 ? 15 : 3, [.bucket: Company.customerBucket])
        }
        for object in 0..<18 {
            add("Oss.GetObject", by: intruder, wait: object % 5 == 0 ? 19 : 4, [.bucket: Company.customerBucket])
        }
        add("Oss.GetBucketAcl", by: intruder, wait: 48, [.bucket: Company.customerBucket])
        add("Oss.PutBucketAcl", by: intruder, wait: 17, [.bucket: Company.customerBucket, .acl: "public-read"])
    }

    package mutating func spendMoney(_ company: Company) {
        let intruder = Persona.backdoor
        let region = company.unusualRegion
        let type = "ecs.gn7e-c16g1.16xlarge"
        add("Ecs.DescribeAvailableResource", by: intruder, wait: 95, [.region: region, .instanceType: type])
        add(
            "Ecs.RunInstances", by: intruder, wait: 62, outcome: .throttled,
            [
                .region: region, .instanceType: type, .amount: "64", .image: Plot.foreignImage,
                .group: Plot.foreignGroup, .vswitch: Plot.foreignSwitch,
            ])
        for instance in Plot.minedInstances {
            add(
                "Ecs.RunInstances", by: intruder, wait: 34,
                [
                    .region: region, .instanceType: type, .amount: "8", .instance: instance,
                    .image: Plot.foreignImage, .group: Plot.foreignGroup, .vswitch: Plot.foreignSwitch,
                ])
        }
        add("Ecs.DescribeInstanceStatus", by: intruder, wait: 88, [.region: region, .instance: Plot.minedInstances[0]])
    }

    package mutating func coverTracks(_ company: Company) {
        let intruder = Persona.backdoor
        let key = company.first(.key)
        add("Ram.UpdateRole", by: intruder, wait: 131, [.role: Company.backupRole, .trusted: company.foreignAccount])
        add("Actiontrail.DescribeTrails", by: intruder, wait: 22)
        add("Actiontrail.StopLogging", by: intruder, wait: 18)
        add("Actiontrail.DeleteTrail", by: intruder, wait: 12, outcome: .noPermission)
        add("Actiontrail.DeleteTrail", by: intruder, wait: 41, outcome: .noPermission)
        add("Kms.ListKeys", by: intruder, wait: 27)
        add("Kms.DescribeKey", by: intruder, wait: 6, [.key: key])
        add("Kms.DisableKey", by: intruder, wait: 14, [.key: key])
        add("Kms.ScheduleKeyDeletion", by: intruder, wait: 23, outcome: .noPermission, [.key: key])
    }

    package static let minedInstances = ["i-rj9example0mining1", "i-rj9example0mining2", "i-rj9example0mining3"]
    private static let foreignImage = "ubuntu_24_04_x64_20G_alibase"
    private static let foreignGroup = "sg-rj9example0default"
    private static let foreignSwitch = "vsw-rj9example0default"
}
