// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// The trails of all accounts, kept in the metadata.
public final class TrailRegistry: Sendable {
    public static let trailsPerRegion = 5

    let metadata: Metadata
    private let now: @Sendable () -> Date

    public init(metadata: Metadata, now: @escaping @Sendable () -> Date) {
        self.metadata = metadata
        self.now = now
    }

    private static func path(_ account: String, _ name: String) -> String { "trails/\(account)/\(name)" }
    static func statePath(_ trail: Trail) -> String { "deliveries/\(trail.accountId)/\(trail.name)" }

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
            }
        }
    }

    /// Changes a trail in place; what `change` throws refuses it.
    @discardableResult
    public func update(
        _ name: String, account: String, _ change: (inout Trail) throws -> Void
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
            try transaction.delete(Self.path(account, name))
            try transaction.delete(Self.statePath(trail))
        }
    }

    /// Starts logging at `sequence`; starting a started trail changes nothing.
    public func start(_ name: String, account: String, at sequence: UInt64) throws {
        try metadata.transact { transaction in
            guard var trail = try transaction.value(Trail.self, at: Self.path(account, name)) else {
                throw TrailError.notFound(name)
            }
            guard trail.status != .enabled else { return }
            var state = try transaction.value(DeliveryState.self, at: Self.statePath(trail)) ?? DeliveryState()
            let isUnsealed = trail.status == .disabled && state.stop == nil
            if isUnsealed || state.plan != nil || (state.stop.map { $0 >= sequence || state.next < $0 } ?? false) {
                // Started again before all up to the stop was delivered: the run simply goes on.
                state.stop = nil
            } else {
                // What a history job is delivering already is not this run's.
                let jobs = try transaction.values(HistoryJob.self, prefix: "jobs/\(account)/")
                    .filter { $0.trailId == trail.id && !$0.status.isOver }
                let first = max(sequence, jobs.compactMap(\.runs.last?.end).max() ?? 0)
                state.hasGap = state.lastDigest != nil
                state.stop = nil
                state.next = first
                state.digestStart = first
            }
            trail.status = .enabled
            trail.startedAt = now()
            trail.updatedAt = now()
            try transaction.put(trail, at: Self.path(account, name))
            try transaction.put(state, at: Self.statePath(trail))
        }
    }

    /// Stops logging; what was recorded up to ``sealStop(_:account:at:)`` is still delivered.
    public func stop(_ name: String, account: String) throws {
        try update(name, account: account) { trail in
            guard trail.status == .enabled else { return }
            trail.status = .disabled
            trail.stoppedAt = now()
        }
    }

    /// Fixes the end of a stopped trail's events: one past the event that tells of the stop.
    public func sealStop(_ name: String, account: String, at sequence: UInt64) throws {
        try metadata.transact { transaction in
            guard let trail = try transaction.value(Trail.self, at: Self.path(account, name)), trail.status == .disabled
            else { return }
            var state = try transaction.value(DeliveryState.self, at: Self.statePath(trail)) ?? DeliveryState()
            guard state.stop == nil else { return }
            state.stop = max(sequence, state.next)
            try transaction.put(state, at: Self.statePath(trail))
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

public enum TrailError: Error, Equatable, CustomStringConvertible {
    case notFound(String)
    case alreadyExists(name: String, region: String)
    case tooMany(limit: Int)
    case bucketTaken(String)
    case jobNotFound(Int)
    /// Nothing of the trail's is left to deliver, or it delivers to no bucket.
    case jobNotPossible(String)
    case jobRunning(Int)
    case metadata(String)

    public var description: String {
        switch self {
        case .notFound: "The specified Trail does not exist."
        case .alreadyExists(let name, let region): "Trail name (\(name)) in region (\(region)) already exists."
        case .tooMany(let limit): "At most \(limit) trails can be created in a region."
        case .bucketTaken(let bucket): "The OSS bucket \(bucket) is already used by another trail."
        case .jobNotFound(let id): "The specified delivery history job \(id) does not exist."
        case .jobNotPossible(let reason): reason
        case .jobRunning(let id): "The delivery history job \(id) is still running; one runs at a time."
        case .metadata(let reason): reason
        }
    }
}
