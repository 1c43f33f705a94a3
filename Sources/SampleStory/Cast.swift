// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The names and numbers a demonstration of the sample needs.
///
/// - Units: times are seconds since 1970.
public struct Cast: Sendable, Equatable {
    public let accountId: String
    public let region: String
    public let people: [String]
    public let failedSignInUser: String
    public let failedSignInAddress: String
    public let securityPerson: String

    public let leakedAccessKeyId: String
    /// The pipeline's user, to whom the leaked key belongs.
    public let leakedKeyOwner: String
    /// The key the pipeline uses after the clean-up.
    public let rotatedAccessKeyId: String

    /// The address behind the leaked key, then the one behind the intruder's own user.
    public let intruderAddresses: [String]
    public let intruderUser: String
    public let intruderAccessKeyId: String
    public let unusualRegion: String
    /// The instances the intruder started, three of them, in the unusual region.
    public let intruderInstanceIds: [String]

    public let bucket: String
    public let role: String
    public let trail: String
    public let keyId: String

    public let intrusionStart: Int64
    public let intrusionEnd: Int64
    public let discoveryStart: Int64
    /// The event that gave the intruder's user `AdministratorAccess`.
    public let decisiveEventId: String
    public let decisiveEventTime: Int64
}

extension Cast {
    package init(company: Company, plot: Plot) {
        let forgetful = Persona.all.first { $0.name == Company.forgetfulPerson }!
        let decisive = plot.moments[plot.decisive]
        self.init(
            accountId: company.account, region: company.region, people: Company.people,
            failedSignInUser: Company.forgetfulPerson,
            failedSignInAddress: forgetful.addresses[Plot.homeAddress], securityPerson: Company.securityPerson,
            leakedAccessKeyId: company.pipelineKey, leakedKeyOwner: Company.pipelineUser,
            rotatedAccessKeyId: company.rotatedPipelineKey, intruderAddresses: Company.intruderAddresses,
            intruderUser: Company.backdoorUser, intruderAccessKeyId: company.backdoorKey,
            unusualRegion: company.unusualRegion, intruderInstanceIds: Plot.minedInstances,
            bucket: Company.customerBucket, role: Company.backupRole, trail: Company.trail,
            keyId: company.first(.key), intrusionStart: plot.intrusionStart, intrusionEnd: plot.intrusionEnd,
            discoveryStart: plot.discoveryStart, decisiveEventId: decisive.requestId,
            decisiveEventTime: decisive.time)
    }
}
