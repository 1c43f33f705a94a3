// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Which events answer to the lookup `SensitiveAction` = `true`.
///
/// Alibaba Cloud does not publish its list; this one is our own choice. It names what a thief or a careless
/// administrator does to the record of events, to keys and to who may get in:
///
/// - the trail, logs, their retention and monitoring deleted, stopped or weakened;
/// - keys disabled or scheduled for deletion, encryption of storage switched off;
/// - access keys and passwords made, policies attached, detached or rewritten, second factors removed;
/// - buckets, snapshots and ports opened to everyone;
/// - sign-in by the owner of the account;
/// - in Kubernetes: roles and bindings, commands run in pods, tokens, admission hooks, whole namespaces.
///
/// A refused attempt counts as much as a successful one. Services are compared without regard to case.
enum SensitiveActions {
    struct Occasion {
        var serviceName: Text
        var identityType: Text
        var resourceType: Text
        var requestParameters: Text
    }

    struct Rule {
        var families: Families
        var condition: Condition

        func applies(to occasion: Occasion) -> Bool {
            if condition == .ownerSignsIn { return occasion.identityType.equals("root-account") }
            guard let family = SensitiveActions.family(ofService: occasion.serviceName),
                families.contains(family)
            else { return false }
            switch condition {
            case .always, .ownerSignsIn: return true
            case .opensPort:
                return occasion.requestParameters.contains("0.0.0.0/0") || occasion.requestParameters.contains("::/0")
            case .opensToEveryone:
                return ["public", "AllUsers", "AuthenticatedUsers", "\"all\""].contains {
                    occasion.requestParameters.contains($0)
                }
            case .kubernetesWrite: return SensitiveActions.kubernetesTypes.value(of: occasion.resourceType) != nil
            case .kubernetesDelete:
                return SensitiveActions.kubernetesTypes.value(of: occasion.resourceType) != nil
                    || SensitiveActions.kubernetesDeletedTypes.value(of: occasion.resourceType) != nil
            }
        }
    }

    enum Condition {
        case always, opensPort, opensToEveryone, ownerSignsIn, kubernetesWrite, kubernetesDelete
    }

    /// Groups of services that do the same job.
    struct Families: OptionSet {
        let rawValue: UInt16
        static let trail = Families(rawValue: 1)
        static let logs = Families(rawValue: 2)
        static let storage = Families(rawValue: 4)
        static let keys = Families(rawValue: 8)
        static let identity = Families(rawValue: 16)
        static let compute = Families(rawValue: 32)
        static let database = Families(rawValue: 64)
        static let monitoring = Families(rawValue: 128)
        static let organization = Families(rawValue: 256)
        static let kubernetes = Families(rawValue: 512)
    }

    /// The rule for events of this name, if any are sensitive.
    @inline(__always)
    static func rule(forName name: Text) -> Rule? {
        rulesByName.value(of: name).map { rules[$0] }
    }

    private static func family(ofService service: Text) -> Families? {
        guard service.count <= 32 else { return nil }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { buffer in
            for index in 0..<service.count {
                let byte = service[index]
                buffer[index] = UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
            }
            let lowered = Text(start: buffer.baseAddress!, count: service.count)
            return services.value(of: lowered).map { Families(rawValue: UInt16($0)) }
        }
    }

    private static let services = NameTable(
        ([
            (.trail, "actiontrail cloudtrail"),
            (.logs, "sls log logs"),
            (.storage, "oss s3"),
            (.keys, "kms"),
            (.identity, "ram ims sts iam sso cloudsso aassub"),
            (.compute, "ecs ec2 vpc lightsail"),
            (.database, "rds polardb redis kvstore dds elasticache redshift"),
            (.monitoring, "config sas cloudfw waf guardduty securityhub access-analyzer wafv2 macie2"),
            (.organization, "resourcemanager resourcedirectorymaster organizations account"),
            (.kubernetes, "kubernetes"),
        ] as [(Families, String)]).flatMap { family, names in
            names.split(separator: " ").map { (String($0), Int(family.rawValue)) }
        })

    private static let table: [(families: Families, condition: Condition, names: String)] = [
        (
            [.trail], .always,
            """
            DeleteTrail StopLogging UpdateTrail PutEventSelectors PutDataEventSelector DeleteDataEventSelector \
            DisableInsight PutInsightSelectors UpdateGlobalEventsStorageRegion DeleteEventDataStore \
            StopEventDataStoreIngestion DeregisterOrganizationDelegatedAdmin DeleteDeliveryHistoryJob UpdateRetention
            """
        ),
        (
            [.logs, .compute, .monitoring], .always,
            """
            DeleteProject DeleteLogStore DeleteLogstore UpdateLogStore UpdateLogstore DeleteIndex DeleteLogging \
            UpdateLogging DeleteLogGroup DeleteLogStream PutRetentionPolicy DeleteRetentionPolicy \
            DeleteSubscriptionFilter DisassociateKmsKey DeleteFlowLogs DeleteFlowLog DeactiveFlowLog \
            DeleteLoggingConfiguration
            """
        ),
        (
            [.storage], .always,
            """
            DeleteBucket DeleteBucketLogging PutBucketLogging DeleteBucketEncryption PutBucketLifecycle \
            PutBucketLifecycleConfiguration DeleteBucketWorm AbortBucketWorm PutObjectLockConfiguration \
            PutBucketVersioning PutBucketPolicy DeleteBucketPolicy PutBucketReplication PutBucketPublicAccessBlock \
            DeleteBucketPublicAccessBlock DeletePublicAccessBlock PutPublicAccessBlock PutAccountPublicAccessBlock \
            ComplianceClockJump PutBucketEncryption
            """
        ),
        ([.storage], .opensToEveryone, "PutBucketAcl PutObjectAcl PutBucket CreateBucket"),
        (
            [.keys], .always,
            """
            DisableKey ScheduleKeyDeletion DeleteKeyMaterial DeleteImportedKeyMaterial PutKeyPolicy SetKeyPolicy \
            DisableKeyRotation UpdateRotationPolicy DeleteAlias UpdateAlias SetDeletionProtection CreateGrant \
            DeleteSecret DeleteCustomKeyStore RotateRootOfTrust
            """
        ),
        (
            [.identity], .always,
            """
            CreateAccessKey UpdateAccessKey DeleteAccessKey CreateLoginProfile UpdateLoginProfile ChangePassword \
            AttachPolicyToUser AttachPolicyToGroup AttachPolicyToRole AttachPolicy DetachPolicy \
            DetachPolicyFromUser DetachPolicyFromGroup DetachPolicyFromRole AttachUserPolicy AttachGroupPolicy \
            AttachRolePolicy DetachUserPolicy DetachGroupPolicy DetachRolePolicy PutUserPolicy PutGroupPolicy \
            PutRolePolicy DeleteUserPolicy DeleteGroupPolicy DeleteRolePolicy CreatePolicyVersion \
            SetDefaultPolicyVersion DeletePolicy DeletePolicyVersion UpdateRole UpdateAssumeRolePolicy \
            PutUserPermissionsBoundary DeleteUserPermissionsBoundary PutRolePermissionsBoundary \
            DeleteRolePermissionsBoundary AddUserToGroup UnbindMFADevice DisableVirtualMFA DeleteVirtualMFADevice \
            DeactivateMFADevice SetSecurityPreference SetPasswordPolicy UpdateAccountPasswordPolicy \
            DeleteAccountPasswordPolicy CreateSAMLProvider UpdateSAMLProvider CreateOpenIDConnectProvider \
            CreateOIDCProvider SetUserSsoSettings
            """
        ),
        (
            [.compute], .opensPort,
            """
            AuthorizeSecurityGroup AuthorizeSecurityGroupIngress ModifySecurityGroupRule ModifySecurityGroupRules \
            CreateNetworkAclEntry ReplaceNetworkAclEntry
            """
        ),
        (
            [.compute, .database], .opensToEveryone,
            """
            ModifySnapshotAttribute ModifyImageAttribute ModifyImageSharePermission ModifyDBSnapshotAttribute \
            ModifyDBClusterSnapshotAttribute
            """
        ),
        ([.compute], .always, "DisableEbsEncryptionByDefault DisableDiskEncryptionByDefault"),
        ([.database], .opensPort, "ModifySecurityIps ModifyDBClusterAccessWhitelist AuthorizeDBSecurityGroupIngress"),
        ([.database], .always, "ModifySQLCollectorPolicy ModifyDBInstanceTDE AllocateInstancePublicConnection"),
        (
            [.monitoring], .always,
            """
            StopConfigurationRecorder DeleteConfigurationRecorder DeleteDeliveryChannel DeleteConfigRule \
            DeleteConfigRules StopConfigRules DeleteDetector UpdateDetector DeleteMembers DisassociateMembers \
            DisassociateFromMasterAccount DisassociateFromAdministratorAccount StopMonitoringMembers \
            DisableSecurityHub DisableMacie DeleteAnalyzer CreateIPSet CreateFilter DeleteWebACL DisableAccount
            """
        ),
        (
            [.organization], .always,
            """
            LeaveOrganization RemoveAccountFromOrganization DisablePolicyType DetachControlPolicy \
            DeleteControlPolicy UpdateControlPolicy DisableControlPolicy DisableRegion CloseAccount
            """
        ),
        ([], .ownerSignsIn, "ConsoleSignin ConsoleLogin"),
        ([.kubernetes], .kubernetesWrite, "create update patch"),
        ([.kubernetes], .kubernetesDelete, "delete deletecollection"),
    ]

    private static let rules = table.map { Rule(families: $0.families, condition: $0.condition) }

    private static let rulesByName = NameTable(
        table.enumerated().flatMap { index, row in
            row.names.split(separator: " ").map { (String($0), index) }
        })

    private static let kubernetesTypes = kubernetesTable(
        """
        clusterroles clusterrolebindings roles rolebindings pods/exec pods/attach pods/portforward \
        pods/ephemeralcontainers nodes/proxy serviceaccounts/token mutatingwebhookconfigurations \
        validatingwebhookconfigurations validatingadmissionpolicies certificatesigningrequests/approval \
        customresourcedefinitions
        """)

    private static let kubernetesDeletedTypes = kubernetesTable("namespaces events networkpolicies secrets")

    private static func kubernetesTable(_ names: String) -> NameTable {
        NameTable(names.split(separator: " ").map { ("Kubernetes::\($0)", 1) })
    }
}
