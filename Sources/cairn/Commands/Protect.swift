// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import ArgumentParser
import Foundation

struct Protect: AsyncParsableCommand {
    /// Six calendar months are up to 184 days; source: compliance.md section 1.
    static let leastDays = 184

    static let configuration = CommandConfiguration(
        abstract: "Protect a trail: own key, encrypted and locked bucket, everything recorded, separated administrators.",
        discussion: """
            Makes or finds each of these and reads it back: the service-linked role; a customer key with rotation and deletion \
            protection; a private bucket with default encryption under that key and a retention policy; the trail of all events of \
            all regions, started; three users with separated duties (system, audit, security); at last the lock of the retention \
            policy, which cannot be undone and is done only with consent.

            What is in place is left alone, so the command can be given again at any time: after a failure it goes on where it was.

            Exit codes: 0 protected (or a dry run); 1 something is left, or is in a way that its owner has to decide about; 2 usage; \
            3 cannot reach or not allowed.
            """)

    @OptionGroup var options: BucketOptions
    @Argument(help: "Name of the trail; it is made if there is none.") var trail: String
    @Option(help: "Bucket to deliver to. Default: the trail's own, else cairn-TRAIL") var bucket: String?
    @Option(help: "Days that an object is kept unchanged; a longer policy stays.") var days = Self.leastDays
    @Flag(help: "Allow fewer than \(Self.leastDays) days, which is less than the law asks in China.") var allowShort = false
    @Option(help: "Alias or id of a customer key to use. Default: the trail's own, alias/cairn-TRAIL") var key: String?
    @Flag(help: "Lock the retention policy without asking.") var yes = false
    @Flag(help: "Show what would be done, and do nothing.") var dryRun = false
    @Flag(help: "Leave users and their policies alone.") var noAdministrators = false
    @Option(help: "Name of the system administrator. Default: TRAIL-system-admin") var systemAdmin: String?
    @Option(help: "Name of the audit administrator. Default: TRAIL-audit-admin") var auditAdmin: String?
    @Option(help: "Name of the security administrator. Default: TRAIL-security-admin") var securityAdmin: String?
    @Option(
        help: ArgumentHelp(
            "Make an access key for each administrator and write them to this file (mode 0600).", valueName: "file"))
    var accessKeys: String?
    @Option(help: "table or json.") var output = OutputForm.table

    func validate() throws {
        guard (1...25_550).contains(days) else { throw ValidationError("--days is from 1 to 25550") }
        guard days >= Self.leastDays || allowShort else {
            throw ValidationError(
                "--days \(days) is less than six calendar months (up to \(Self.leastDays) days), which MLPS 2.0 asks for; "
                    + "give --allow-short if that is meant")
        }
        guard accessKeys == nil || !noAdministrators else {
            throw ValidationError("--access-keys and --no-administrators do not go together")
        }
        guard Set(administrators.map(\.user)).count == Duty.allCases.count else {
            throw ValidationError("the three administrators are three users: give them different names")
        }
    }

    private var administrators: [(duty: Duty, user: String)] {
        [
            (.system, systemAdmin ?? trail + "-system-admin"), (.audit, auditAdmin ?? trail + "-audit-admin"),
            (.security, securityAdmin ?? trail + "-security-admin"),
        ]
    }

    func run() async throws {
        let keyFile = accessKeys.map { AccessKeyFile(path: $0) }
        if !dryRun { try keyFile?.check() }
        let site = try await site()
        var report = ProtectionReport(
            trail: trail, bucket: site.bucket, days: days, isDryRun: dryRun, keyId: site.key?.id)
        let run = ProtectionRun(
            site: site, safeguards: try safeguards(site, keyFile), isDryRun: dryRun, consent: Consent(isGiven: yes))
        let refused: String?
        do { refused = try await run.run(&report) } catch {
            Terminal.endProgress()
            let failure = (error as? APIError)?.failure ?? error as? Failure ?? .unreachable("\(error)")
            report.error = failure.message
            try report.print(output)
            throw Failure(
                code: failure.code,
                message: failure.message + "\nWhat is in place stays; give the same command again to go on from there.")
        }
        Terminal.endProgress()
        try report.print(output)
        if let refused { throw Failure.no(left(report, refused)) }
        guard report.isComplete || dryRun else {
            throw Failure.no("something was changed meanwhile: \(report.left.map(\.what).joined(separator: ", "))")
        }
    }

    private func left(_ report: ProtectionReport, _ refused: String) -> String {
        """
        left to do: \(report.left.map { "\($0.what) (\($0.wanted))" }.joined(separator: ", ")). It needs consent, because it \
        cannot be undone. \(refused)
        To agree, give the command again on a terminal, or with --yes. A policy that is not locked lapses after 24 hours.
        """
    }

    private func site() async throws -> ProtectionSite {
        let api = try options.connection.client()
        let identity = try await api.call("GetCallerIdentity", of: .tokens)
        let present = try await CompleteTrail.read(api, trail)
        let existing = present?["OssBucketName"] as? String ?? ""
        let ownName = "cairn-" + trail.replacingOccurrences(of: "_", with: "-")
        return ProtectionSite(
            api: api, buckets: try options.client(), accountId: identity["AccountId"] as? String ?? "", trail: trail,
            bucket: bucket ?? (existing.isEmpty ? ownName : existing), days: days, keyReference: key,
            keyPrefix: present?["OssKeyPrefix"] as? String ?? "")
    }

    private func safeguards(_ site: ProtectionSite, _ keyFile: AccessKeyFile?) throws -> [any Safeguard] {
        var safeguards: [any Safeguard] = [
            DeliveryRole(), UsableKey(), AutomaticRotation(), KeyDeletionProtection(), KeyAlias(wanted: site.alias),
            ExistingBucket(), PrivateBucket(), BucketEncryption(), RetentionPolicy(wanted: "\(days) days or more"),
            CompleteTrail(), StartedLogging(),
        ]
        if !noAdministrators {
            let auditor: (ProtectionSite) throws -> PolicyPreset = { site in
                do {
                    return try SeparationOfDuties.auditor(
                        trail: site.trail, bucket: site.bucket, keyPrefix: site.keyPrefix, keyId: site.key?.id)
                } catch {
                    throw Failure.usage("\(error)")
                }
            }
            safeguards += Duty.allCases.map { PolicyInForce($0.preset) }
            safeguards.append(PolicyInForce(name: try auditor(site).name, preset: auditor))
            for (duty, user) in administrators {
                safeguards.append(AdministratorUser(user: user, duty: duty.title))
                safeguards.append(SeparatedDuty(user: user, policy: duty.preset.name))
                if let keyFile { safeguards.append(AdministratorAccessKey(user: user, file: keyFile)) }
            }
        }
        return safeguards + [RetentionLock(wanted: "\(days) days or more, locked")]
    }
}
