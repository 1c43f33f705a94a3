// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension Routine {
    package static let week: [Routine] = console + commandLine + automation + services

    private static let console: [Routine] = [
        Routine(
            name: "developer in the console", personas: Company.developers + Company.analysts + ["luca"],
            schedule: .office, share: 150, growsWithSample: false, opening: ["AasSub.ConsoleSignin"],
            bag: [
                "Sls.GetLogs": 14, "Sls.GetHistograms": 8, "CS.DescribeClusterDetail": 6, "CS.DescribeClusterEvents": 6,
                "Ecs.DescribeInstances": 8, "Ecs.DescribeInstanceAttribute": 5, "Rds.DescribeDBInstances": 5,
                "Rds.DescribeSlowLogRecords": 6, "Slb.DescribeLoadBalancers": 4, "Oss.ListBuckets": 3,
                "Oss.GetBucketInfo": 4, "Ecs.DescribeDisks": 3, "Ecs.StopInstance": 2, "Ecs.StartInstance": 2,
                "Ecs.RebootInstance": 3, "Sls.CreateIndex": 2, "Sls.UpdateLogStore": 1,
            ], bagDraws: 5...12, closing: [], secondsBetween: 3...40, deniedPerMille: 30),
        Routine(
            name: "operator in the console", personas: ["bo"], schedule: .office, share: 50, growsWithSample: false,
            opening: ["AasSub.ConsoleSignin"],
            bag: [
                "Ecs.DescribeInstances": 8, "Ecs.DescribeSecurityGroups": 6, "Ecs.DescribeSecurityGroupAttribute": 6,
                "Ecs.AuthorizeSecurityGroup": 3, "Ecs.RevokeSecurityGroup": 2, "Rds.DescribeDBInstanceAttribute": 6,
                "Rds.ModifySecurityIps": 2, "Rds.ModifyParameter": 2, "Slb.DescribeHealthStatus": 6,
                "Slb.SetLoadBalancerHTTPSListenerAttribute": 2, "Vpc.DescribeRouteEntryList": 4,
                "Vpc.CreateRouteEntry": 1, "Vpc.DescribeEipAddresses": 3, "Ecs.RunCommand": 3,
                "Alidns.DescribeDomains": 2,
            ], bagDraws: 6...14, closing: ["AasSub.ConsoleSignout"], secondsBetween: 3...35),
        Routine(
            name: "finance reads the bills", personas: ["greta"], schedule: .mornings, share: 20,
            growsWithSample: false, opening: ["AasSub.ConsoleSignin", "BssOpenApi.QueryAccountBalance"],
            bag: [
                "BssOpenApi.QueryBillOverview": 5, "BssOpenApi.DescribeInstanceBill": 6, "BssOpenApi.UpdateBudget": 1,
                "Ecs.DescribeInstances": 1,
            ], bagDraws: 3...7, closing: ["AasSub.ConsoleSignout"], secondsBetween: 5...60, deniedPerMille: 40),
        Routine(
            name: "security review", personas: [Company.securityPerson], schedule: .mornings, share: 35,
            growsWithSample: false,
            opening: ["AasSub.ConsoleSignin", "Actiontrail.DescribeTrails", "Actiontrail.GetTrailStatus"],
            bag: [
                "Actiontrail.LookupEvents": 8, "Ram.ListUsers": 4, "Ram.GetUser": 4, "Ram.ListAccessKeys": 4,
                "Ram.ListPoliciesForUser": 3, "Ram.ListGroupsForUser": 2, "Ram.ListPolicies": 2, "Ram.GetPolicy": 2,
                "Ram.GetPolicyVersion": 2, "Ram.CreatePolicyVersion": 2, "Kms.ListKeys": 2, "Kms.DescribeKey": 2,
                "Actiontrail.GetAccessKeyLastUsedInfo": 3, "Oss.GetBucketAcl": 2, "Oss.GetBucketPolicy": 2,
            ], bagDraws: 6...12, closing: ["AasSub.ConsoleSignout"], secondsBetween: 4...45),
    ]

    private static let commandLine: [Routine] = [
        Routine(
            name: "developer on the command line",
            personas: (Company.developers + Company.analysts + ["bo"]).map { $0 + "/key" }, schedule: .office,
            share: 130, growsWithSample: false, opening: ["Sts.GetCallerIdentity"],
            bag: [
                "Sls.GetLogs": 8, "CS.DescribeClustersV1": 4, "CS.DescribeClusterUserKubeconfig": 5,
                "Oss.ListObjects": 5, "Oss.GetObject": 6, "Oss.PutObject": 6, "Ecs.DescribeInstances": 5,
                "Ecs.RunCommand": 3, "Sts.AssumeRole": 3, "Rds.DescribeDBInstances": 2,
            ], bagDraws: 2...8, fills: [.bucket: "lanternworks-analytics", .role: "ops-admin"], secondsBetween: 2...30,
            deniedPerMille: 22)
    ]

    private static let automation: [Routine] = [
        Routine(
            name: "pipeline", personas: [Company.pipelineUser], schedule: .deploying, share: 150,
            opening: ["Sts.GetCallerIdentity", "Oss.GetBucketInfo", "Oss.PutObject"],
            bag: [
                "CS.DescribeClusterDetail": 5, "CS.DescribeClusterNodes": 6, "CS.DescribeClusterNodePools": 4,
                "Sls.GetLogs": 4, "Kms.GetSecretValue": 4, "Oss.PutObject": 5, "Oss.GetObject": 4,
            ], bagDraws: 5...12, closing: ["CS.UpdateTemplate", "CS.DescribeClusterEvents"],
            fills: [.bucket: "lanternworks-build-artifacts"], secondsBetween: 1...14),
        Routine(
            name: "terraform run", personas: ["terraform"], schedule: .deploying, share: 90,
            opening: ["Sts.GetCallerIdentity", "Oss.GetObject"],
            bag: [
                "Vpc.DescribeVpcs": 5, "Vpc.DescribeVSwitches": 5, "Vpc.DescribeVSwitchAttributes": 5,
                "Vpc.DescribeRouteTableList": 4, "Vpc.DescribeRouteEntryList": 4, "Vpc.DescribeNatGateways": 3,
                "Ecs.DescribeSecurityGroups": 5, "Ecs.DescribeSecurityGroupAttribute": 6, "Ecs.DescribeKeyPairs": 2,
                "Slb.DescribeLoadBalancerAttribute": 5, "Slb.DescribeVServerGroups": 4, "Ram.GetRole": 5,
                "Ram.ListPoliciesForRole": 4, "Oss.GetBucketEncryption": 3, "Oss.GetBucketLifecycle": 3,
                "Rds.DescribeDBInstanceAttribute": 3, "Kms.DescribeKey": 3, "Actiontrail.DescribeTrails": 1,
                "Oss.PutBucketTags": 5, "Vpc.ModifyVSwitchAttribute": 5, "Ecs.AuthorizeSecurityGroup": 3,
                "Ecs.RevokeSecurityGroup": 2,
            ], bagDraws: 16...30, closing: ["Oss.PutObject"], fills: [.bucket: "lanternworks-build-artifacts"],
            secondsBetween: 0...3, throttledPerMille: 25),
        Routine(
            name: "nightly backup", personas: ["backup"], schedule: .nightly, share: 90,
            opening: ["Rds.DescribeDBInstances", "Rds.CreateBackup"],
            bag: [
                "Ecs.DescribeDisks": 5, "Ecs.DescribeSnapshots": 8, "Ecs.CreateSnapshot": 6, "Ecs.DeleteSnapshot": 5,
                "Rds.DescribeBackups": 5, "Rds.DeleteBackup": 2, "Oss.PutObject": 5, "Oss.GetBucketStat": 2,
                "Kms.GenerateDataKey": 5,
            ], bagDraws: 8...18, fills: [.bucket: "lanternworks-backups"], secondsBetween: 2...30),
        Routine(
            name: "certificates", personas: ["cert-manager"], schedule: .nightly, share: 14,
            opening: ["Alidns.DescribeDomainRecords", "Alidns.AddDomainRecord"],
            bag: ["Alidns.DescribeDomainRecords": 1], bagDraws: 2...6, closing: ["Alidns.DeleteDomainRecord"],
            secondsBetween: 5...30),
    ]

    private static let services: [Routine] = [
        Routine(
            name: "cloud controller", personas: ["kubernetes"], schedule: .always, share: 90,
            bag: [
                "Slb.DescribeLoadBalancers": 6, "Slb.DescribeVServerGroups": 6, "Ecs.DescribeInstances": 8,
                "Vpc.DescribeRouteEntryList": 5, "Slb.AddVServerGroupBackendServers": 4,
                "Slb.RemoveVServerGroupBackendServers": 3, "Ecs.DescribeInstanceTypes": 2,
            ], bagDraws: 3...8, secondsBetween: 0...5, throttledPerMille: 18),
        Routine(
            name: "application decrypts", personas: ["application"], schedule: .always, share: 90,
            opening: ["Kms.GetSecretValue"],
            bag: ["Kms.Decrypt": 8, "Kms.GenerateDataKey": 4, "Oss.GetObject": 6, "Oss.PutObject": 6], bagDraws: 2...8,
            fills: [.bucket: Company.customerBucket], secondsBetween: 0...9),
        Routine(
            name: "monitoring", personas: ["monitor"], schedule: .always, share: 70,
            bag: [
                "Ecs.DescribeInstanceStatus": 8, "Rds.DescribeDBInstancePerformance": 8, "Slb.DescribeHealthStatus": 6,
                "Rds.DescribeSlowLogRecords": 2, "CS.DescribeClusterNodes": 3, "Oss.GetBucketStat": 2,
            ], bagDraws: 4...10, secondsBetween: 0...4, throttledPerMille: 22),
        Routine(
            name: "log audit", personas: ["log-audit"], schedule: .always, share: 20,
            bag: ["Sls.ListLogStores": 3, "Sls.GetLogStore": 4, "Sls.ListProject": 2, "Sls.UpdateLogStore": 2],
            bagDraws: 2...5, secondsBetween: 1...6),
        Routine(
            name: "log shipping", personas: ["log-shipper"], schedule: .always, share: 30,
            bag: ["Sls.GetLogStore": 4, "Sls.ListLogStores": 2, "Oss.PutObject": 5], bagDraws: 2...6,
            fills: [.bucket: "lanternworks-audit-log"], secondsBetween: 1...10),
        Routine(
            name: "key rotation", personas: ["kms"], schedule: .nightly, share: 2, bag: ["Kms.RotateKey": 1],
            bagDraws: 1...1, secondsBetween: 1...2, deniedPerMille: 0, throttledPerMille: 0),
        Routine(
            name: "automatic snapshots", personas: ["ecs"], schedule: .nightly, share: 16,
            bag: ["Ecs.CreateAutoSnapshot": 1], bagDraws: 2...6, secondsBetween: 2...9, deniedPerMille: 0,
            throttledPerMille: 0),
    ]
}
