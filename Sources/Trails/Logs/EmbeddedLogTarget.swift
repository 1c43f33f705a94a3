// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService

/// A trail's logstore in the embedded log service, bound to the trail: nobody but the service writes to it.
public struct EmbeddedLogTarget: LogDeliveryTarget {
    static let retentionDays = 3650
    static let shards = 2
    static let mostShards = 64

    private let service: LogService
    private let owner: LogDeliveryTargets.Owner
    /// Asked before each delivery; throws if the service may not write there.
    private let mayPost: @Sendable (LogDeliveryTargets.Owner) throws -> Void
    private let now: @Sendable () -> Date

    public init(
        service: LogService, owner: LogDeliveryTargets.Owner,
        mayPost: @escaping @Sendable (LogDeliveryTargets.Owner) throws -> Void = { _ in }, now: @escaping @Sendable () -> Date
    ) {
        self.service = service
        self.owner = owner
        self.mayPost = mayPost
        self.now = now
    }

    private var registry: LogRegistry { service.registry }
    private var project: String { owner.project.name }

    public var location: String { "embedded logstore `\(owner.logstore)` of project `\(project)`" }

    /// Each delivery costs one write to disk, whatever its size.
    public var batchLimits: LogBatchLimits { LogBatchLimits(bytes: 4 << 20, count: 10_000) }

    /// Whether the project is there, in the region and the account that its ARN names.
    public static func exists(_ project: LogProject, in registry: LogRegistry) throws -> Bool {
        guard let found = try Self.ifThere({ try registry.project(project.name) }) else { return false }
        return found.account == project.account && found.region == project.region
    }

    /// - Throws: ``LogServiceError`` if the logstore is there already and a trail may not take it over: it may take one that an
    ///   earlier trail of the name has left, or that nobody has written to.
    public static func checkLogstore(of owner: LogDeliveryTargets.Owner, in registry: LogRegistry) throws {
        let found = try ifThere { try registry.logstore(owner.logstore, project: owner.project.name) }
        guard found?.mayBecomeTrails ?? true else { throw LogServiceError.notForTrail(owner.logstore) }
    }

    public func prepare() async throws -> LogTargetReadiness {
        guard owner.project.account == owner.account, try Self.exists(owner.project, in: registry) else {
            throw LogServiceError.noProject(project)
        }
        if let logstore = try Self.ifThere({ try registry.logstore(owner.logstore, project: project) }) {
            try bind(logstore)
        } else {
            let time = Int64(now().timeIntervalSince1970)
            try await service.createLogstore(
                Logstore(
                    project: project, name: owner.logstore, account: owner.account, ttl: Self.retentionDays,
                    shards: try LogRegistry.initialShards(count: Self.shards, at: time), autoSplit: true,
                    maxSplitShard: Self.mostShards, index: TrailIndex.json, createdAt: time, trail: owner.trailARN))
        }
        return LogTargetReadiness(location: location, gaps: makeDashboard(), checkedAt: now())
    }

    /// Events are kept as long, and found in the same ways, in a logstore that is taken over as in one made for a trail.
    private func bind(_ logstore: Logstore) throws {
        guard !isBound(logstore) else { return }
        try registry.setTrail(owner.trailARN, logstore: owner.logstore, project: project) { logstore in
            logstore.ttl = Self.retentionDays
            logstore.index = TrailIndex.json
        }
    }

    private func isBound(_ logstore: Logstore) -> Bool {
        logstore.trail == owner.trailARN && logstore.ttl == Self.retentionDays && logstore.index == TrailIndex.json
    }

    /// - Returns: why there is none, if so: it is a convenience, for which nothing is held up.
    private func makeDashboard() -> [String] {
        let name = TrailDashboard.name(logstore: owner.logstore)
        do {
            if try Self.ifThere({ try registry.document(.dashboard, name, project: project) }) == nil {
                try registry.createDocument(
                    .dashboard, try TrailDashboard.json(logstore: owner.logstore), project: project)
            }
            return []
        } catch { return ["the dashboard `\(name)` cannot be made: \(error)"] }
    }

    public func deliver(_ events: ArraySlice<LogEvent>, stream: String) async throws {
        try mayPost(owner)
        var logstore = try registry.logstore(owner.logstore, project: project)
        if !isBound(logstore) {
            try bind(logstore)
            logstore = try registry.logstore(owner.logstore, project: project)
        }
        do {
            try await service.deliver(
                LogGroup(events: events), positions: events.map { $0.sequence + 1 }, stream: stream, into: logstore)
        } catch let error as LogServiceError {
            throw LogsRefused(status: error.status, code: error.code, message: error.message) ?? error
        }
    }

    public func lastSequence(of stream: String) async throws -> UInt64? {
        guard let logstore = try Self.ifThere({ try registry.logstore(owner.logstore, project: project) }),
            let position = try await service.lastPosition(stream: stream, in: logstore), position > 0
        else { return nil }
        return position - 1
    }

    public func release() async throws {
        guard let logstore = try Self.ifThere({ try registry.logstore(owner.logstore, project: project) }),
            logstore.trail == owner.trailARN
        else { return }
        try registry.setTrail(nil, logstore: owner.logstore, project: project)
    }

    /// Nil for what is not there.
    private static func ifThere<Found>(_ find: () throws -> Found) throws -> Found? {
        do { return try find() } catch let error as LogServiceError where error.status == 404 { return nil }
    }
}
