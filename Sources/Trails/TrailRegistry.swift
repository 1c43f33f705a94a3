// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// The trails of all accounts, kept in the metadata.
public final class TrailRegistry: Sendable {
    public static let trailsPerRegion = 5

    let metadata: Metadata
    let now: @Sendable () -> Date

    public init(metadata: Metadata, now: @escaping @Sendable () -> Date) {
        self.metadata = metadata
        self.now = now
    }

    static func path(_ account: String, _ name: String) -> String { "trails/\(account)/\(name)" }
    static func statePath(_ trail: Trail) -> String { "deliveries/\(trail.accountId)/\(trail.name)" }
    static func logStatePath(_ trail: Trail) -> String { "log-deliveries/\(trail.accountId)/\(trail.name)" }

    public func trails(account: String) throws -> [Trail] {
        try metadata.values(Trail.self, prefix: "trails/\(account)/")
    }

    func allTrails() throws -> [Trail] { try metadata.values(Trail.self, prefix: "trails/") }

    public func trail(_ name: String, account: String) throws -> Trail? {
        try metadata.value(Trail.self, at: Self.path(account, name))
    }

    public func deliveryState(of trail: Trail) throws -> DeliveryState {
        try metadata.value(DeliveryState.self, at: Self.statePath(trail)) ?? DeliveryState()
    }

    public func logDeliveryState(of trail: Trail) throws -> LogDeliveryState {
        try metadata.value(LogDeliveryState.self, at: Self.logStatePath(trail)) ?? LogDeliveryState()
    }

    public func create(_ trail: Trail) throws(TrailError) {
        try attempt {
            try metadata.transact { transaction in
                let others = try transaction.values(Trail.self, prefix: "trails/\(trail.accountId)/")
                guard !others.contains(where: { $0.name == trail.name }) else {
                    throw TrailError.alreadyExists(name: trail.name, region: trail.homeRegion)
                }
                guard others.filter({ $0.homeRegion == trail.homeRegion }).count < Self.trailsPerRegion else {
                    throw TrailError.tooMany(limit: Self.trailsPerRegion)
                }
                try Self.checkBucketIsFree(trail, among: others)
                try transaction.put(trail, at: Self.path(trail.accountId, trail.name))
                try transaction.delete(Self.statePath(trail))
                try transaction.delete(Self.logStatePath(trail))
            }
        }
    }

    /// Changes a trail in place; what `change` throws refuses it.
    ///
    /// - Parameter sequence: where a destination that the change adds to a trail that logs begins, and one that it takes away
    ///   ends.
    @discardableResult
    public func update(
        _ name: String, account: String, at sequence: UInt64, _ change: (inout Trail) throws -> Void
    ) throws -> Trail {
        try metadata.transact { transaction in
            let path = Self.path(account, name)
            guard var trail = try transaction.value(Trail.self, at: path) else { throw TrailError.notFound(name) }
            let before = trail
            try change(&trail)
            if trail.ossBucketName != before.ossBucketName {
                let others = try transaction.values(Trail.self, prefix: "trails/\(account)/").filter { $0.name != name }
                try Self.checkBucketIsFree(trail, among: others)
            }
            if trail.slsProjectArn != before.slsProjectArn { try noteRelease(of: before, in: transaction) }
            if trail.status == .enabled {
                try openRuns(of: trail, at: sequence, in: transaction)
                if trail.ossBucketName.isEmpty {
                    try changeState(of: trail, in: transaction) { $0.seal(at: sequence) }
                }
                if trail.slsProjectArn.isEmpty {
                    try changeLogState(of: trail, in: transaction) { $0.seal(at: sequence) }
                }
            }
            trail.updatedAt = now()
            try transaction.put(trail, at: path)
            return trail
        }
    }

    private static func checkBucketIsFree(_ trail: Trail, among others: [Trail]) throws {
        guard trail.ossBucketName.isEmpty || !others.contains(where: { $0.ossBucketName == trail.ossBucketName }) else {
            throw TrailError.bucketTaken(trail.ossBucketName)
        }
    }

    public func delete(_ name: String, account: String) throws {
        try metadata.transact { transaction in
            guard let trail = try transaction.value(Trail.self, at: Self.path(account, name)) else {
                throw TrailError.notFound(name)
            }
            try noteRelease(of: trail, in: transaction)
            try transaction.delete(Self.path(account, name))
            try transaction.delete(Self.statePath(trail))
            try transaction.delete(Self.logStatePath(trail))
        }
    }

    // MARK: Logging

    /// Starts logging at `sequence`; starting a started trail changes nothing.
    public func start(_ name: String, account: String, at sequence: UInt64) throws {
        try metadata.transact { transaction in
            guard var trail = try transaction.value(Trail.self, at: Self.path(account, name)) else {
                throw TrailError.notFound(name)
            }
            guard trail.status != .enabled else { return }
            try openRuns(of: trail, at: sequence, in: transaction)
            trail.status = .enabled
            trail.startedAt = now()
            trail.updatedAt = now()
            try transaction.put(trail, at: Self.path(account, name))
        }
    }

    /// Opens a run for each destination that a trail has; where one is open, nothing changes.
    private func openRuns(of trail: Trail, at sequence: UInt64, in transaction: Metadata.Transaction) throws {
        // What a history job is delivering already is not this run's.
        let jobs = try transaction.values(HistoryJob.self, prefix: "jobs/\(trail.accountId)/")
            .filter { $0.trailId == trail.id && !$0.status.isOver }
        if !trail.ossBucketName.isEmpty {
            let end = jobs.compactMap(\.runs.last?.end).max() ?? 0
            try changeState(of: trail, in: transaction) { $0.open(at: sequence, after: end) }
        }
        if !trail.slsProjectArn.isEmpty {
            let end = jobs.compactMap { $0.logRuns?.last?.end }.max() ?? 0
            try changeLogState(of: trail, in: transaction) { $0.open(at: sequence, after: end) }
        }
    }

    /// Stops logging; what was recorded up to ``sealStop(_:account:at:)`` is still delivered.
    public func stop(_ name: String, account: String) throws {
        try metadata.transact { transaction in
            guard var trail = try transaction.value(Trail.self, at: Self.path(account, name)) else {
                throw TrailError.notFound(name)
            }
            guard trail.status == .enabled else { return }
            trail.status = .disabled
            trail.stoppedAt = now()
            trail.updatedAt = now()
            try transaction.put(trail, at: Self.path(account, name))
        }
    }

    /// Fixes the end of a stopped trail's events: one past the event that tells of the stop.
    public func sealStop(_ name: String, account: String, at sequence: UInt64) throws {
        try metadata.transact { transaction in
            guard let trail = try transaction.value(Trail.self, at: Self.path(account, name)), trail.status == .disabled
            else { return }
            try changeState(of: trail, in: transaction) { $0.seal(at: sequence) }
            try changeLogState(of: trail, in: transaction) { $0.seal(at: sequence) }
        }
    }

    /// Trails that were stopped when the service ended before it could seal the stop.
    func sealForgottenStops(at sequence: UInt64) throws {
        for trail in try allTrails() where trail.status == .disabled {
            try sealStop(trail.name, account: trail.accountId, at: sequence)
        }
    }

    private func attempt(_ body: () throws -> Void) throws(TrailError) {
        do { try body() } catch let error as TrailError { throw error } catch { throw .metadata("\(error)") }
    }
}
