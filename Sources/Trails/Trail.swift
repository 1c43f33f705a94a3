// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import ObjectStorage

/// Which question does this room answer? *What goes where, and has it arrived?*
///
/// A trail selects events and has them delivered; ``TrailRegistry`` keeps the definitions, ``DeliveryService`` does
/// the delivering, ``DeliveryVerification`` checks what was delivered without either.
public struct Trail: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable {
        /// Never started.
        case fresh = "Fresh"
        case enabled = "Enable"
        case disabled = "Disable"
    }

    public enum Selection: String, Codable, Sendable {
        case write = "Write"
        case read = "Read"
        case all = "All"
    }

    /// Distinguishes a trail from an earlier one of the same name.
    public var id: String
    public var name: String
    public var accountId: String
    public var homeRegion: String
    /// `All`, or region ids separated by commas.
    public var trailRegion: String
    public var selection: Selection
    public var ossBucketName: String
    public var ossKeyPrefix: String
    public var ossWriteRoleArn = ""
    public var slsProjectArn = ""
    public var slsWriteRoleArn = ""
    public var maxComputeProjectArn = ""
    public var maxComputeWriteRoleArn = ""
    public var isOrganizationTrail = false
    public var status = Status.fresh
    public var createdAt: Date
    public var updatedAt: Date
    public var startedAt: Date?
    public var stoppedAt: Date?

    public init(
        id: String, name: String, accountId: String, homeRegion: String, trailRegion: String, selection: Selection,
        ossBucketName: String, ossKeyPrefix: String, createdAt: Date
    ) {
        self.id = id
        self.name = name
        self.accountId = accountId
        self.homeRegion = homeRegion
        self.trailRegion = trailRegion
        self.selection = selection
        self.ossBucketName = ossBucketName
        self.ossKeyPrefix = ossKeyPrefix
        self.createdAt = createdAt
        updatedAt = createdAt
    }

    public var arn: String { "acs:actiontrail:\(homeRegion):\(accountId):trail/\(name)" }

    public var regions: Set<String>? {
        trailRegion == "All" ? nil : Set(trailRegion.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
    }

    /// Of the trail's own in the project it delivers to. A trail's name has no capitals, as little as a logstore's.
    public var logstoreName: String { "actiontrail_" + name.lowercased() }

    /// Whether an event is this trail's to deliver.
    func selects(isWrite: Bool, isGlobal: Bool, region: String) -> Bool {
        switch selection {
        case .all: break
        case .write where !isWrite: return false
        case .read where isWrite: return false
        default: break
        }
        guard let regions else { return true }
        return isGlobal || region.isEmpty || regions.contains(region)
    }
}

/// How far the delivery to a bucket is: a trail's own, kept beside it, or that of a history job.
public struct DeliveryState: Codable, Sendable, Equatable {
    /// Events delivered, or never to be: runs of sequences, ascending, apart.
    public struct Run: Codable, Sendable, Equatable {
        public var first: UInt64
        public var end: UInt64
    }

    /// The next event to look at; meaningless before the first start.
    public var next: UInt64 = 0
    /// Where the next digest begins: after the last one, or where logging was started.
    public var digestStart: UInt64 = 0
    /// One past the last event of a run that was ended; nil while a run is open.
    public var stop: UInt64? = 0
    /// What is being delivered; written before the first object, so that a retry writes the same.
    public var plan: DeliveryPlan?
    /// The chain's newest digest.
    public var lastDigest: DigestLink?
    /// The bucket that has it: in another bucket the chain begins anew.
    var digestBucket: String?
    /// Whether logging was off between the last digest and `digestStart`.
    public var hasGap = false
    public var covered: [Run] = []
    public var lastDeliveredAt: Date?
    public var lastError: String?
    /// What protects the objects in the bucket, as last seen.
    public var protection: TargetProtection?
    public var deliveredEvents: UInt64 = 0
    public var deliveredObjects: UInt64 = 0

    public init() {}
}

extension DeliveryState: DeliveryRuns {
    package var firstInHand: UInt64 { min(next, digestStart) }
    package var isHalfDone: Bool { plan != nil }

    package mutating func begin(at sequence: UInt64) {
        hasGap = lastDigest != nil
        next = sequence
        digestStart = sequence
    }
}

/// One step of a delivery: events `first..<end` were looked at, and become objects and one digest.
public struct DeliveryPlan: Codable, Sendable, Equatable {
    public var first: UInt64
    public var end: UInt64
    public var plannedAt: Date
}

/// A digest object by its key and content.
public struct DigestLink: Codable, Sendable, Equatable {
    public var key: String
    /// Base64 of the SHA-256 of the whole object.
    public var sha256: String
}
