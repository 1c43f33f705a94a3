// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Metadata

/// A logstore that a trail delivers to no more. It stays, and becomes its owner's: to write to, change and delete.
public struct LogstoreRelease: Codable, Sendable, Equatable {
    public var trailARN: String
    public var account: String
    public var projectARN: String
    public var logstore: String

    var path: String { "logstore-releases/\(account)/\(logstore)/\(projectARN)" }
}

extension TrailRegistry {
    /// In the transaction that takes the destination away, so that no crash leaves a logstore bound to nobody.
    func noteRelease(of trail: Trail, in transaction: Metadata.Transaction) throws {
        guard !trail.slsProjectArn.isEmpty else { return }
        let release = LogstoreRelease(
            trailARN: trail.arn, account: trail.accountId, projectARN: trail.slsProjectArn, logstore: trail.logstoreName)
        try transaction.put(release, at: release.path)
    }

    /// Those still to be carried out.
    func releases() throws -> [LogstoreRelease] {
        try metadata.values(LogstoreRelease.self, prefix: "logstore-releases/")
    }

    /// Whether a trail delivers to the logstore again.
    func isTaken(_ release: LogstoreRelease) throws -> Bool {
        try trails(account: release.account).contains {
            $0.slsProjectArn == release.projectARN && $0.logstoreName == release.logstore
        }
    }

    func finish(_ release: LogstoreRelease) throws { try metadata.transact { try $0.delete(release.path) } }
}
