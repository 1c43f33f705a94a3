// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Delivers, once, what a trail's destinations do not have yet of the events still held.
public struct HistoryJob: Codable, Sendable, Equatable {
    public enum Status: Int, Codable, Sendable {
        case initializing = 0
        case delivering = 1
        case done = 2
        case failed = 3

        var isOver: Bool { self == .done || self == .failed }
    }

    public var id: Int
    public var trailName: String
    public var trailId: String
    public var accountId: String
    public var homeRegion: String
    public var clientToken: String?
    public var status: Status
    public var createdAt: Date
    public var updatedAt: Date
    /// The range of recording that the job covers.
    public var startTime: Date
    public var endTime: Date
    /// What is still to be delivered to the bucket, ascending; the first one is being worked on.
    package internal(set) var runs: [DeliveryState.Run]
    public var delivery = DeliveryState()
    /// The same for the logstore; nil in jobs that were made before there were any.
    package internal(set) var logRuns: [DeliveryState.Run]?
    public internal(set) var logs: LogDeliveryState?

    var chain: String { "job-\(id)" }

    /// What stands in the way, if anything does.
    public var lastError: String? { delivery.lastError ?? logs?.lastError }

    var isComplete: Bool { runs.isEmpty && logRuns?.isEmpty ?? true }
}
