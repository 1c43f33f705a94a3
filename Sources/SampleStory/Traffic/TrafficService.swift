// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A cloud service as the traffic has it: what its events name, and what its operations are about.
package struct TrafficService: Sendable {
    package var product: String
    package var version: String
    package var host: String
    /// As in `ACS::ECS::Instance`.
    package var resourceSpace: String
    /// What ids of its resources begin with.
    package var prefix: String
    package var nouns: [String]
    /// Operations that are of no noun.
    package var reads: [String]
    package var writes: [String]

    private init(
        _ product: String, _ version: String, _ host: String, _ resourceSpace: String, _ prefix: String, _ nouns: String,
        reads: String = "", writes: String = ""
    ) {
        func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
        self.product = product
        self.version = version
        self.host = host + ".aliyuncs.com"
        self.resourceSpace = resourceSpace
        self.prefix = prefix
        self.nouns = words(nouns)
        self.reads = words(reads)
        self.writes = words(writes)
    }

    /// The most used first.
    package static let all = [
        TrafficService(
            "Ecs", "2014-05-26", "ecs.‹region›", "ECS", "i-bp1",
            "Instance Disk SecurityGroup NetworkInterface Snapshot Image LaunchTemplate KeyPair DedicatedHost Invocation PrefixList",
            reads: "DescribeRegions DescribeZones DescribeAvailableResource DescribePrice DescribeInstanceTypes DescribeUserData",
            writes:
                "RunInstances RunCommand AuthorizeSecurityGroup RevokeSecurityGroup RebootInstance ReplaceSystemDisk JoinResourceGroup"
        ),
        TrafficService(
            "Oss", "2019-05-17", "oss-‹region›", "OSS", "bucket-",
            "Bucket BucketPolicy BucketTags BucketLifecycle BucketEncryption BucketInventory BucketWorm",
            reads: "ListBuckets ListObjects GetBucketInfo GetBucketAcl GetBucketLocation GetBucketLogging GetBucketStat",
            writes: "PutBucket PutBucketAcl PutBucketPolicy PutBucketLogging PutBucketLifecycle"),
        TrafficService(
            "Rds", "2014-08-15", "rds", "RDS", "rm-bp1",
            "DBInstance Account Database Backup Parameter ReadOnlyDBInstance Endpoint",
            reads: "DescribeSlowLogs DescribeResourceUsage DescribeBinlogFiles DescribeDBInstanceNetInfo DescribeErrorLogs",
            writes: "ModifySecurityIps ResetAccountPassword GrantAccountPrivilege RestartDBInstance SwitchDBInstanceHA"),
        TrafficService(
            "Vpc", "2016-04-28", "vpc.‹region›", "VPC", "vpc-bp1",
            "Vpc VSwitch RouteTable RouteEntry EipAddress NatGateway SnatEntry VpnGateway FlowLog NetworkAcl",
            reads: "DescribeVpcAttribute DescribeNatGatewayDetail DescribeVpnConnectionLogs",
            writes: "AssociateEipAddress UnassociateEipAddress ReleaseEipAddress"),
        TrafficService(
            "Slb", "2014-05-15", "slb.‹region›", "SLB", "lb-bp1",
            "LoadBalancer VServerGroup Listener AccessControlList ServerCertificate Rule",
            reads: "DescribeHealthStatus DescribeTags", writes: "AddBackendServers RemoveBackendServers SetBackendServers"),
        TrafficService(
            "Ram", "2015-05-01", "ram", "RAM", "user-", "User Role Policy Group AccessKey LoginProfile PolicyVersion",
            reads: "ListPoliciesForUser ListPoliciesForRole ListGroupsForUser ListEntitiesForPolicy GetPasswordPolicy",
            writes: "AttachPolicyToUser DetachPolicyFromUser AttachPolicyToRole AddUserToGroup SetDefaultPolicyVersion"),
        TrafficService(
            "Ims", "2019-08-15", "ims", "RAM", "user-", "User Group AccessKey SAMLProvider OIDCProvider Application",
            reads: "GetAccountSummary GetCredentialReport GetAccessKeyLastUsed GetUserMFAInfo ListUserBasicInfos",
            writes: "GenerateCredentialReport SetSecurityPreference BindMFADevice"),
        TrafficService("Sts", "2015-04-01", "sts", "RAM", "user-", "Role", reads: "GetCallerIdentity", writes: "AssumeRole"),
        TrafficService(
            "Sls", "2020-12-30", "‹region›.log", "SLS", "project-",
            "Project Logstore Index MachineGroup Config ConsumerGroup Alert Dashboard",
            reads: "GetLogs GetHistograms ListShards GetCursor GetContextLogs",
            writes: "SplitShard MergeShards ApplyConfigToMachineGroup"),
        TrafficService(
            "Cms", "2019-01-01", "metrics.‹region›", "CMS", "rule-", "MetricRule Contact ContactGroup MonitorGroup SiteMonitor",
            reads: "DescribeMetricLast DescribeMetricList DescribeMetricData DescribeSystemEventCount",
            writes: "PutResourceMetricRule EnableMetricRules PutEventRule"),
        TrafficService(
            "Kms", "2016-01-20", "kms.‹region›", "KMS", "key-bp1", "Key Alias Secret KeyVersion Certificate",
            reads: "GetPublicKey GetSecretValue ListResourceTags", writes: "Encrypt Decrypt GenerateDataKey ScheduleKeyDeletion"),
        TrafficService(
            "Actiontrail", "2020-07-06", "actiontrail.‹region›", "ActionTrail", "trail-",
            "Trail DeliveryHistoryJob AdvancedQueryTemplate",
            reads: "LookupEvents GetTrailStatus GetGlobalEventsStorageRegion", writes: "StartLogging StopLogging EnableInsight"),
        TrafficService(
            "CS", "2015-12-15", "cs.‹region›", "CS", "c-", "Cluster NodePool Addon Template Trigger KubernetesPermission",
            reads: "DescribeClusterLogs DescribeClusterUserKubeconfig DescribeTaskInfo",
            writes: "UpgradeCluster ScaleOutCluster InstallAddons"),
        TrafficService(
            "Config", "2020-09-07", "config.‹region›", "Config", "rule-",
            "ConfigRule CompliancePack Aggregator ConfigDeliveryChannel",
            reads: "GetResourceComplianceTimeline ListConfigRuleEvaluationResults", writes: "StartConfigRuleEvaluation"),
        TrafficService(
            "Tag", "2018-08-28", "tag.‹region›", "Tag", "tag-", "Tag TagPolicy", reads: "ListTagResources", writes: "TagResources"
        ),
        TrafficService(
            "ResourceManager", "2020-03-31", "resourcemanager", "ResourceManager", "rg-",
            "ResourceGroup Folder Account ControlPolicy",
            reads: "ListResources ListParents", writes: "MoveResources InviteAccountToResourceDirectory"),
        TrafficService(
            "Alidns", "2015-01-09", "alidns", "Alidns", "domain-", "Domain DomainRecord DomainGroup", reads: "DescribeDomainLogs",
            writes: "SetDomainRecordStatus"),
        TrafficService(
            "Cdn", "2018-05-10", "cdn", "CDN", "cdn-", "CdnDomain CdnCertificate RealtimeLogDelivery",
            reads: "DescribeRefreshTasks DescribeDomainHitRateData", writes: "RefreshObjectCaches PushObjectCache"),
        TrafficService(
            "R-kvstore", "2015-01-01", "r-kvstore", "Redis", "r-bp1", "Instance Backup Account TairInstance",
            reads: "DescribeRunningLogRecords",
            writes: "FlushInstance ModifySecurityIps"),
        TrafficService(
            "polardb", "2017-08-01", "polardb", "PolarDB", "pc-bp1", "DBCluster DBNode Account Database GlobalDatabaseNetwork",
            reads: "DescribePolarSQLCollectorPolicy", writes: "FailoverDBCluster"),
        TrafficService(
            "FC", "2023-03-30", "fcv3.‹region›", "FC", "function-", "Function Trigger Layer Alias CustomDomain",
            reads: "GetFunctionCode",
            writes: "InvokeFunction"),
        TrafficService(
            "Ess", "2022-02-22", "ess.‹region›", "ESS", "asg-bp1",
            "ScalingGroup ScalingRule ScalingConfiguration Alarm ScheduledTask",
            reads: "DescribeScalingActivities", writes: "ExecuteScalingRule"),
        TrafficService(
            "Sas", "2018-12-03", "tds", "SAS", "asset-", "Vulnerability SuspEvent AntiBruteForceRule BackupPolicy",
            reads: "DescribeFieldStatistics DescribeVersionConfig", writes: "HandleSecurityEvents"),
        TrafficService(
            "cr", "2018-12-01", "cr.‹region›", "CR", "cri-", "Instance Repository Namespace ChartRepository", reads: "ListRepoTag"
        ),
        TrafficService(
            "Eci", "2018-08-08", "eci.‹region›", "ECI", "eci-bp1", "ContainerGroup ImageCache DataCache",
            writes: "ExecContainerCommand"),
        TrafficService(
            "NAS", "2017-06-26", "nas.‹region›", "NAS", "fs-", "FileSystem MountTarget AccessGroup AccessRule Snapshot"),
        TrafficService(
            "ROS", "2019-09-10", "ros.‹region›", "ROS", "stack-", "Stack ChangeSet StackGroup Template", reads: "ListStackEvents"),
        TrafficService(
            "oos", "2019-06-01", "oos.‹region›", "OOS", "exec-", "Execution Template Parameter PatchBaseline",
            writes: "NotifyExecution"),
        TrafficService(
            "alikafka", "2019-09-16", "alikafka.‹region›", "AliKafka", "kafka_pre-", "Topic ConsumerGroup SaslUser Instance"),
        TrafficService(
            "elasticsearch", "2017-06-13", "elasticsearch.‹region›", "Elasticsearch", "es-cn-",
            "Instance Logstash Collector Snapshot",
            writes: "RestartInstance"),
        TrafficService(
            "Dds", "2015-12-01", "mongodb", "MongoDB", "dds-bp1", "DBInstance Account Backup Node", reads: "DescribeAuditRecords"),
        TrafficService(
            "Dts", "2020-01-01", "dts.‹region›", "DTS", "dts-", "DtsJob MigrationJob ConsumerChannel", writes: "StartDtsJob"),
        TrafficService(
            "Cbn", "2017-09-12", "cbn", "CEN", "cen-", "Cen TransitRouter TransitRouterRouteTable CenBandwidthPackage"),
        TrafficService(
            "Cloudfw", "2017-12-07", "cloudfw", "Cloudfw", "cfw-", "ControlPolicy AddressBook VpcFirewall",
            reads: "DescribeAssetList"),
        TrafficService(
            "waf-openapi", "2021-10-01", "wafopenapi", "WAF", "waf_v3-", "DefenseRule DefenseTemplate Domain",
            reads: "DescribeFlowTopUrl"),
        TrafficService(
            "cas", "2020-04-07", "cas", "CAS", "cert-", "UserCertificate DeploymentJob", reads: "ListUserCertificateOrder"),
        TrafficService(
            "BssOpenApi", "2017-12-14", "business", "BSS", "order-", "Order ResourcePackage",
            reads: "QueryBill QueryAccountBalance"),
        TrafficService(
            "quotas", "2020-05-10", "quotas", "Quotas", "quota-", "QuotaApplication QuotaAlarm", reads: "ListProductQuotas"),
        TrafficService("MaxCompute", "2022-01-04", "maxcompute.‹region›", "MaxCompute", "odps-", "Project Package Quota Table"),
        TrafficService(
            "dataworks-public", "2024-05-18", "dataworks.‹region›", "DataWorks", "dw-", "Node Workflow DataSource Task"),
        TrafficService(
            "ARMS", "2019-08-08", "arms.‹region›", "ARMS", "arms-", "AlertRule Environment GrafanaWorkspace",
            reads: "SearchTraces"),
        TrafficService(
            "cloudsso", "2021-05-15", "cloudsso.‹region›", "CloudSSO", "d-", "User Group AccessConfiguration SCIMServerCredential"
        ),
        TrafficService("imm", "2020-09-30", "imm.‹region›", "IMM", "imm-", "Dataset Project Binding"),
        TrafficService(
            "vod", "2017-03-21", "vod.‹region›", "VOD", "video-", "UploadVideo Category VodTemplate", reads: "GetPlayInfo"),
        TrafficService("RocketMQ", "2022-08-01", "rocketmq.‹region›", "RocketMQ", "rmq-cn-", "Instance Topic ConsumerGroup"),
        TrafficService(
            "eventbridge", "2020-04-01", "eventbridge.‹region›", "EventBridge", "bus-", "EventBus Rule EventSource",
            writes: "PutEvents"),
        TrafficService("pvtz", "2018-01-01", "pvtz", "PrivateZone", "zone-", "Zone ZoneRecord", writes: "BindZoneVpc"),
        TrafficService(
            "Alb", "2020-06-16", "alb.‹region›", "ALB", "alb-", "LoadBalancer Listener ServerGroup Acl SecurityPolicy"),
        TrafficService("Nlb", "2022-04-30", "nlb.‹region›", "NLB", "nlb-", "LoadBalancer Listener ServerGroup SecurityPolicy"),
    ]
}
