// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The time-based retention (WORM) of a bucket. Times are retention time in milliseconds, not the wall clock's.
/// Source: oss.md section 14, docs/decisions/0011.
public struct RetentionPolicy: Codable, Sendable, Equatable {
    public static let allowedDays = 1...25_550
    /// How long an unlocked policy waits for ``EmbeddedObjectStore/completeRetention(bucket:id:)``.
    public static let millisecondsToLock: Int64 = 24 * 3600 * 1000
    static let millisecondsPerDay: Int64 = 24 * 3600 * 1000

    public enum State: String, Codable, Sendable {
        case inProgress = "InProgress"
        case locked = "Locked"
    }

    /// 32 upper-case hex digits.
    public internal(set) var id: String
    public internal(set) var state: State
    public internal(set) var days: Int
    /// The wall clock when it was begun, as shown to clients.
    public internal(set) var createdAt: Date
    var initiatedFrom: Int64

    /// Whether it protects anything at `now`: an unlocked policy lapses after 24 hours.
    func isInForce(at now: Int64) -> Bool { state == .locked || now - initiatedFrom < Self.millisecondsToLock }
}

/// The one judgement of retention: until when is an object protected?
///
/// - Parameters:
///   - retainedFrom: retention time at the object's commit.
///   - lockedDays: days of the locked policy at the object's commit; a locked policy never goes and never shrinks, so
///     these days hold whatever the bucket says now.
///   - now: retention time.
/// - Returns: the end of protection in retention time; nil if the object is free.
func protectionEnd(retainedFrom: Int64, lockedDays: Int?, policy: RetentionPolicy?, now: Int64) -> Int64? {
    let policyDays = policy.flatMap { $0.isInForce(at: now) ? $0.days : nil }
    guard let days = [policyDays, lockedDays].compactMap({ $0 }).max() else { return nil }
    let end = retainedFrom + Int64(days) * RetentionPolicy.millisecondsPerDay
    return now < end ? end : nil
}
