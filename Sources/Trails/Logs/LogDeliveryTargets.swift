// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Which log service a trail's project is in: a configured remote one of that name, else the embedded one.
///
/// Remote projects are the installation's: trails of other accounts than its own do not see them.
public struct LogDeliveryTargets: Sendable {
    /// What a target has to know of the trail whose logstore it is.
    public struct Owner: Sendable {
        public var trailARN: String
        public var account: String
        public var project: LogProject
        public var logstore: String

        init(trailARN: String, account: String, project: LogProject, logstore: String) {
            self.trailARN = trailARN
            self.account = account
            self.project = project
            self.logstore = logstore
        }

        /// - Throws: ``TrailError/badProject(_:)`` if the trail names no project.
        public init(_ trail: Trail) throws(TrailError) {
            guard let project = trail.logProject else { throw .badProject(trail.slsProjectArn) }
            self.init(trailARN: trail.arn, account: trail.accountId, project: project, logstore: trail.logstoreName)
        }
    }

    private let remote: [String: @Sendable (Owner) -> any LogDeliveryTarget]
    private let account: String
    private let embedded: @Sendable (Owner) -> any LogDeliveryTarget

    /// - Parameters:
    ///   - remote: by the project name that trails use.
    ///   - account: of the installation.
    public init(
        remote: [String: @Sendable (Owner) -> any LogDeliveryTarget] = [:], account: String,
        embedded: @escaping @Sendable (Owner) -> any LogDeliveryTarget
    ) {
        self.remote = remote
        self.account = account
        self.embedded = embedded
    }

    /// - Parameter account: of the trail.
    public func isRemote(_ project: String, account: String) -> Bool { account == self.account && remote[project] != nil }

    /// - Throws: ``TrailError/badProject(_:)`` if the trail names no project.
    public func target(of trail: Trail) throws(TrailError) -> any LogDeliveryTarget { target(try Owner(trail)) }

    private func target(_ owner: Owner) -> any LogDeliveryTarget {
        (owner.account == account ? remote[owner.project.name] : nil)?(owner) ?? embedded(owner)
    }

    /// Leaves logstores that trails deliver to no more to their owners.
    ///
    /// - Throws: the last failure, after all were tried; what failed is tried again by the next call.
    public func carryOutReleases(of registry: TrailRegistry) async throws {
        var failure: (any Error)?
        for release in try registry.releases() {
            do {
                if let project = LogProject(arn: release.projectARN), try !registry.isTaken(release) {
                    try await target(
                        Owner(
                            trailARN: release.trailARN, account: release.account, project: project, logstore: release.logstore)
                    ).release()
                }
                try registry.finish(release)
            } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
