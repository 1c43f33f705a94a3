// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The wall clock claims a time that retention does not believe.
public struct ClockJump: Sendable, Equatable, CustomStringConvertible {
    public enum Occasion: String, Sendable {
        /// Against the monotonic clock, while the service was running.
        case running
        /// Against what was known when the service stopped.
        case stopped
    }

    public var occasion: Occasion
    /// What the wall clock says has passed, in milliseconds; negative if it went back.
    public var claimed: Int64
    /// By how much retention time advanced instead.
    public var believed: Int64
    /// The wall clock now.
    public var wallTime: Date
    /// Retention time now.
    public var retentionTime: Date

    public var isForward: Bool { claimed > believed }

    public var description: String {
        """
        the wall clock went \(isForward ? "forward" : "back") while the service was \(occasion.rawValue): it claims that \
        \(claimed / 1000) s passed, retention believes \(believed / 1000) s
        """
    }
}
