// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension Catalog {
    package static let computing: [Operation] = instances + disks + databases + clusters

    private static let instances: [Operation] = [
        Service.ecs.read(
            "DescribeInstances",
            ["RegionId": "‹region›", "Status": "Running", "PageNumber": .number(.page), "PageSize": 50]),
        Service.ecs.read(
            "DescribeInstanceStatus",
            ["RegionId": "‹region›", "InstanceId": ["‹instance›"], "PageSize": 50], on: .instance),
        Service.ecs.read(
            "DescribeInstanceAttribute", ["RegionId": "‹region›", "InstanceId": "‹instance›"], on: .instance),
        Service.ecs.read("DescribeInstanceTypes", ["RegionId": "‹region›", "InstanceTypes": ["‹instanceType›"]]),
        Service.ecs.read(
            "DescribeAvailableResource",
            [
                "RegionId": "‹region›", "DestinationResource": "InstanceType", "IoOptimized": "optimized",
                "InstanceChargeType": "PostPaid", "InstanceType": "‹instanceType›",
            ]),
        Service.ecs.read(
            "DescribeImages", ["RegionId": "‹region›", "ImageOwnerAlias": "self", "Status": "Available"]),
        Service.ecs.read(
            "DescribeSecurityGroups", ["RegionId": "‹region›", "VpcId": "‹vpc›", "PageSize": 50], on: .vpc),
        Service.ecs.read(
            "DescribeSecurityGroupAttribute",
            ["RegionId": "‹region›", "SecurityGroupId": "‹group›", "Direction": "ingress"], on: .group),
        Service.ecs.read("DescribeKeyPairs", ["RegionId": "‹region›", "PageNumber": .number(.page)]),
        Service.ecs.write(
            "RunInstances",
            [
                "RegionId": "‹region›", "ZoneId": "‹region›-b", "ImageId": "‹image›",
                "InstanceType": "‹instanceType›", "Amount": .number(.amount), "SecurityGroupId": "‹group›",
                "VSwitchId": "‹vswitch›", "InstanceChargeType": "PostPaid", "SystemDisk.Size": 40,
                "ClientToken": "‹token›",
            ], on: .instance,
            returns: [
                "RequestId": "‹requestId›", "OrderId": "", "InstanceIdSets": ["InstanceIdSet": ["‹instance›"]],
            ]),
        Service.ecs.write(
            "StartInstance", ["RegionId": "‹region›", "InstanceId": "‹instance›", "DryRun": false],
            on: .instance),
        Service.ecs.write(
            "StopInstance",
            ["RegionId": "‹region›", "InstanceId": "‹instance›", "ForceStop": false, "StoppedMode": "KeepCharging"],
            on: .instance),
        Service.ecs.write(
            "RebootInstance", ["RegionId": "‹region›", "InstanceId": "‹instance›", "ForceStop": false],
            on: .instance),
        Service.ecs.write(
            "DeleteInstances",
            ["RegionId": "‹region›", "InstanceId": ["‹instance›"], "Force": true, "ClientToken": "‹token›"],
            on: .instance),
        Service.ecs.write(
            "RunCommand",
            [
                "RegionId": "‹region›", "InstanceId": ["‹instance›"], "Type": "RunShellScript",
                "Name": "restart-worker-‹build›", "Timeout": .number(.duration),
            ], on: .instance, returns: ["RequestId": "‹requestId›", "CommandId": "c-‹code›", "InvokeId": "t-‹code›"]),
        Service.ecs.write(
            "AuthorizeSecurityGroup",
            [
                "RegionId": "‹region›", "SecurityGroupId": "‹group›", "IpProtocol": "tcp", "PortRange": "443/443",
                "SourceCidrIp": "‹cidr›", "Policy": "accept", "Priority": 1,
            ], on: .group),
        Service.ecs.write(
            "RevokeSecurityGroup",
            [
                "RegionId": "‹region›", "SecurityGroupId": "‹group›", "IpProtocol": "tcp", "PortRange": "8080/8080",
                "SourceCidrIp": "‹cidr›",
            ], on: .group),
    ]

    private static let disks: [Operation] = [
        Service.ecs.read(
            "DescribeDisks",
            ["RegionId": "‹region›", "InstanceId": "‹instance›", "DiskType": "all", "PageSize": 50], on: .instance),
        Service.ecs.read(
            "DescribeSnapshots",
            ["RegionId": "‹region›", "DiskId": "‹disk›", "Status": "accomplished", "PageSize": 50], on: .disk),
        Service.ecs.write(
            "CreateSnapshot",
            [
                "DiskId": "‹disk›", "SnapshotName": "nightly-‹date›", "RetentionDays": 14,
                "ClientToken": "‹token›",
            ], on: .disk, returns: ["RequestId": "‹requestId›", "SnapshotId": "‹snapshot›"]),
        Service.ecs.write("DeleteSnapshot", ["SnapshotId": "‹snapshot›", "Force": false], on: .snapshot),
        Service.ecs.write(
            "CreateAutoSnapshot", ["DiskId": "‹disk›", "SnapshotId": "‹snapshot›", "RetentionDays": 7], on: .disk
        ).asKind(.serviceEvent),
    ]

    private static let databases: [Operation] = [
        Service.rds.read(
            "DescribeDBInstances", ["RegionId": "‹region›", "Engine": "PostgreSQL", "PageSize": 30]),
        Service.rds.read("DescribeDBInstanceAttribute", ["DBInstanceId": "‹database›"], on: .database),
        Service.rds.read(
            "DescribeDBInstancePerformance",
            [
                "DBInstanceId": "‹database›", "Key": "PolarDBConnections,PolarDBCPU", "StartTime": "‹since›",
                "EndTime": "‹time›",
            ], on: .database),
        Service.rds.read(
            "DescribeSlowLogRecords",
            [
                "DBInstanceId": "‹database›", "StartTime": "‹since›", "EndTime": "‹time›", "PageSize": 100,
                "PageNumber": .number(.page),
            ], on: .database),
        Service.rds.read(
            "DescribeBackups",
            ["DBInstanceId": "‹database›", "BackupStatus": "Success", "StartTime": "‹since›"], on: .database),
        Service.rds.read("DescribeDBInstanceIPArrayList", ["DBInstanceId": "‹database›"], on: .database),
        Service.rds.write(
            "CreateBackup",
            ["DBInstanceId": "‹database›", "BackupMethod": "Snapshot", "BackupType": "FullBackup"],
            on: .database, returns: ["RequestId": "‹requestId›", "BackupJobId": .number(.backup)]),
        Service.rds.write(
            "DeleteBackup", ["DBInstanceId": "‹database›", "BackupId": .number(.backup)], on: .database),
        Service.rds.write(
            "ModifySecurityIps",
            [
                "DBInstanceId": "‹database›", "DBInstanceIPArrayName": "workers", "SecurityIps": "‹cidr›",
                "ModifyMode": "Append",
            ], on: .database, returns: ["RequestId": "‹requestId›", "TaskId": .number(.backup)]),
        Service.rds.write(
            "ModifyParameter",
            [
                "DBInstanceId": "‹database›", "Forcerestart": false,
                "Parameters": .document(["log_min_duration_statement": .number(.duration)]),
            ], on: .database),
    ]

    private static let clusters: [Operation] = [
        Service.kubernetes.read("DescribeClustersV1", ["page_size": 20, "page_number": .number(.page)]),
        Service.kubernetes.read("DescribeClusterDetail", ["ClusterId": "‹cluster›"], on: .cluster),
        Service.kubernetes.read(
            "DescribeClusterNodes",
            ["ClusterId": "‹cluster›", "nodepool_id": "‹nodePool›", "pageSize": 50, "state": "running"],
            on: .cluster),
        Service.kubernetes.read("DescribeClusterNodePools", ["ClusterId": "‹cluster›"], on: .cluster),
        Service.kubernetes.read(
            "DescribeClusterUserKubeconfig",
            ["ClusterId": "‹cluster›", "PrivateIpAddress": true, "TemporaryDurationMinutes": 60], on: .cluster),
        Service.kubernetes.read(
            "DescribeClusterEvents", ["ClusterId": "‹cluster›", "page_size": 50, "page_number": .number(.page)],
            on: .cluster),
        Service.kubernetes.write(
            "ScaleClusterNodePool",
            ["ClusterId": "‹cluster›", "NodepoolId": "‹nodePool›", "count": .number(.page)], on: .cluster,
            returns: ["request_id": "‹requestId›", "task_id": "T-‹code›"]),
        Service.kubernetes.write(
            "UpdateTemplate", ["TemplateId": "‹token›", "name": "release-‹build›", "tags": "ci"],
            on: .cluster, returns: ["request_id": "‹requestId›"]),
    ]
}
