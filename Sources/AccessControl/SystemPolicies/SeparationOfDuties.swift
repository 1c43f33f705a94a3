// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// The three administrators, and an auditor of one trail. Source: ram.md section 9, compliance.md (GB/T 22239-2019).
///
/// Each document grants a duty, and denies everything that is not part of it (`Deny` with `NotAction`). As a Deny
/// outweighs every Allow, no further grant, of whatever kind and from whatever policy, takes its holder beyond the duty.
/// Two duties in one hand deny each other: their holder can do nothing but what both have in common.
///
/// What the policy language stops, once each document is attached to a user directly, or through a group whose name
/// begins with `Cairn`:
///
/// - the system administrator gains no reading of events, and cannot stop, delete or open up what holds them;
/// - the audit administrator and the auditor change nothing;
/// - the security administrator reads no events, uses no key and takes none away, whatever it attaches to itself; it
///   cannot detach or
///   rewrite the documents named `Cairn…` or attach them to anybody, and takes on no role. Appointing administrators is
///   left to root.
///
/// What no policy can stop: the security administrator grants, so it can make another user or role, give it the right to
/// read, and sign in as that user, or reset an auditor's password. Two things stand against that: every one of these
/// steps is an event that it can neither read nor remove and that the audit administrator sees, and a second person who
/// holds the root key or the new user's MFA device. Nor can a document keep an auditor who is granted the reading of a
/// second trail by someone else from reading it: a Deny that spares one resource would need `NotResource`, which identity
/// policies do not have. And the one who may change a trail can point it at another bucket; the next delivery shows it.
public enum SeparationOfDuties {
    public static let systemAdministrator = PolicyPreset(
        name: "CairnSystemAdministrator", description: "Runs trails, buckets and logstores; reads no events.",
        document: PolicyText.document([
            .init(sid: "Duty", actions: running),
            .init(
                sid: "LinkedRole", actions: ["ram:CreateServiceLinkedRole"],
                condition: ("StringEquals", "ram:ServiceName", ["actiontrail.aliyuncs.com"])),
            nothingBut(running + ["ram:CreateServiceLinkedRole"]),
        ]))

    public static let auditAdministrator = PolicyPreset(
        name: "CairnAuditAdministrator", description: "Reads events, settings and grants; changes nothing.",
        document: PolicyText.document(
            [.init(sid: "Duty", actions: reading)] + reading(under: "*") + [nothingBut(reading + ["kms:Decrypt"])]))

    public static let securityAdministrator = PolicyPreset(
        name: "CairnSecurityAdministrator", description: "Grants, and manages keys; reads no events, uses no key.",
        document: PolicyText.document([
            .init(sid: "Duty", actions: granting),
            nothingBut(granting),
            .init(sid: "NoUseOfKeys", effect: .deny, actions: usingKeys),
            .init(sid: "KeysStay", effect: .deny, actions: takingKeysAway),
            .init(
                sid: "AdministratorsStay", effect: .deny, actions: changingPolicies,
                resources: ["acs:ram:*:*:policy/Cairn*"]),
            .init(
                sid: "GroupsOfAdministratorsStay", effect: .deny,
                actions: [
                    "AddUserToGroup", "RemoveUserFromGroup", "UpdateGroup", "DeleteGroup", "AttachPolicyToGroup",
                    "DetachPolicyFromGroup",
                ].map { "ram:" + $0 }, resources: ["acs:ram:*:*:group/Cairn*"]),
        ]))

    public static let administrators = [systemAdministrator, auditAdministrator, securityAdministrator]

    /// Reads what one trail delivers.
    ///
    /// - Parameters:
    ///   - keyPrefix: the trail's `OssKeyPrefix`; empty if it has none.
    ///   - keyId: of the customer's key that the bucket encrypts under, which its readers need to use as well.
    ///   - project: nil, like `logstore`, for a trail that delivers to a bucket only.
    /// - Throws: for a name that no trail, bucket, project or logstore can have; `*` and `?` would open others.
    public static func auditor(
        trail: String, bucket: String, keyPrefix: String = "", keyId: String? = nil, project: String? = nil,
        logstore: String? = nil
    ) throws(PolicySyntaxError) -> PolicyPreset {
        for (place, name) in [("trail", trail), ("bucket", bucket), ("key", keyId), ("project", project), ("logstore", logstore)]
        {
            guard let name else { continue }
            guard !name.isEmpty, name.utf8.count <= 63, name.utf8.allSatisfy(isOfName) else {
                throw PolicySyntaxError(place, "\(PolicyReader.shown(name)) is no name of letters, digits, - and _")
            }
        }
        guard !keyPrefix.utf8.contains(Glob.star), !keyPrefix.utf8.contains(Glob.questionMark), keyPrefix.utf8.count <= 1023
        else { throw PolicySyntaxError("keyPrefix", "must be at most 1023 bytes without * and ?") }
        let keys = keyPrefix.isEmpty || keyPrefix.hasSuffix("/") ? keyPrefix + "*" : keyPrefix + "/*"
        var duty: [PolicyText.Statement] = [
            .init(
                sid: "Trail", actions: ["actiontrail:DescribeTrails", "actiontrail:GetTrailStatus"],
                resources: ["acs:actiontrail:*:*:trail/\(trail)"]),
            .init(
                sid: "Bucket", actions: ["oss:GetBucketInfo", "oss:GetBucketLocation", "oss:GetBucketWorm"],
                resources: ["acs:oss:*:*:\(bucket)"]),
            .init(
                sid: "List", actions: ["oss:ListObjects"], resources: ["acs:oss:*:*:\(bucket)"],
                condition: ("StringLike", "oss:Prefix", [keys])),
            .init(sid: "Read", actions: ["oss:GetObject"], resources: ["acs:oss:*:*:\(bucket)/\(keys)"]),
        ]
        if let keyId {
            duty += reading(under: "acs:kms:*:*:key/\(keyId)")
        }
        if let project, let logstore {
            duty.append(
                .init(
                    sid: "Logstore",
                    actions: [
                        "GetLogStore", "GetIndex", "GetLogStoreLogs", "GetLogStoreHistogram", "GetCursorOrData", "ListShards",
                    ].map { "log:" + $0 }, resources: ["acs:log:*:*:project/\(project)/logstore/\(logstore)"]))
        }
        // Policies' names have no `_`; what tells `a_b` from `a-b` is a digest.
        var name = String(trail.map { $0 == "_" ? "-" : $0 })
        if name != trail {
            name += "-" + SHA256.hash(data: Data(trail.utf8)).prefix(4).map { String(format: "%02x", $0) }.joined()
        }
        return PolicyPreset(
            name: "CairnAuditor-\(name)", description: "Reads what the trail \(trail) delivers.",
            document: PolicyText.document(duty + [nothingBut(duty.flatMap(\.actions))]))
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

extension SeparationOfDuties {
    /// Denies what is neither part of a duty nor care for one's own sign-in, which users have without a grant.
    private static func nothingBut(_ duty: [String]) -> PolicyText.Statement {
        let own = [
            "sts:GetCallerIdentity", "ram:GetUser", "ram:ChangePassword", "ram:GetUserMFAInfo", "ram:CreateVirtualMFADevice",
            "ram:BindMFADevice",
        ]
        return .init(
            sid: "NothingElse", effect: .deny,
            actions: duty + own.filter { action in !duty.contains { Glob($0).matches(action) } }, areActionsExcluded: true)
    }

    /// Reading objects that are encrypted under a customer's key takes the use of that key; for that alone.
    private static func reading(under key: String) -> [PolicyText.Statement] {
        let objects = "oss.aliyuncs.com"
        return [
            .init(
                sid: "Key", actions: ["kms:Decrypt"], resources: [key],
                condition: ("StringEquals", "kms:ViaService", [objects])),
            .init(
                sid: "KeyForObjectsOnly", effect: .deny, actions: ["kms:Decrypt"],
                condition: ("StringNotEquals", "kms:ViaService", [objects])),
        ]
    }

    /// Without `ram:PassRole`, by which a trail could be made to deliver into another account; without `PutBucketAcl`
    /// and `PutBucketPolicy`, by which a bucket could be opened; without what shortens how long events are kept.
    private static let running =
        [
            "CreateTrail", "UpdateTrail", "StartLogging", "DescribeTrails", "GetTrailStatus", "DescribeRegions",
            "CreateDeliveryHistoryJob", "GetDeliveryHistoryJob", "ListDeliveryHistoryJobs", "PutDataEventSelector",
            "GetDataEventSelector", "ListDataEventSelectors", "ListDataEventServices", "GetGlobalEventsStorageRegion",
        ].map { "actiontrail:" + $0 }
        + [
            "ListBuckets", "PutBucket", "GetBucketInfo", "GetBucketLocation", "GetBucketStat", "GetBucketAcl", "GetBucketPolicy",
            "PutBucketEncryption", "GetBucketEncryption", "GetBucketLifecycle", "GetBucketVersioning", "InitiateBucketWorm",
            "CompleteBucketWorm", "ExtendBucketWorm", "GetBucketWorm",
        ].map { "oss:" + $0 }
        + [
            "CreateProject", "GetProject", "ListProject", "CreateLogStore", "GetLogStore", "ListLogStores", "CreateIndex",
            "UpdateIndex", "GetIndex", "CreateDashboard", "UpdateDashboard", "GetDashboard", "ListDashboard",
        ].map { "log:" + $0 }
        + ["kms:ListKeys", "kms:ListAliases", "kms:ListAliasesByKeyId", "kms:DescribeKey"]

    private static let reading =
        ActionLists.actionTrailReads + ["oss:Get*", "oss:List*", "log:Get*", "log:List*", "log:Query*"]
        + ["ram:Get*", "ram:List*", "ram:GenerateCredentialReport"] + ActionLists.kmsReads

    private static let granting = ["ram:*", "kms:*"]

    private static let usingKeys =
        [
            "Encrypt", "Decrypt", "ReEncrypt*", "GenerateDataKey*", "GenerateAndExportDataKey", "ExportDataKey",
            "Asymmetric*", "GenerateMac", "VerifyMac", "GetSecretValue",
        ].map { "kms:" + $0 }

    /// Without its key a trail waits, and what it delivered cannot be read.
    private static let takingKeysAway =
        ["DisableKey", "ScheduleKeyDeletion", "DeleteKeyMaterial", "SetDeletionProtection", "UpdateAlias", "DeleteAlias"].map {
            "kms:" + $0
        }

    private static let changingPolicies =
        [
            "AttachPolicyTo*", "DetachPolicyFrom*", "CreatePolicy", "DeletePolicy", "UpdatePolicyDescription",
            "CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion",
        ].map { "ram:" + $0 }
}
