// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// How long a logstore keeps its logs: its `ttl`.
struct LogRetention: Sendable, Equatable {
    /// Days that mean everything is kept.
    private static let forever = 3650

    var days: Int

    /// What was received before is not kept any longer; nil if everything is.
    ///
    /// - Parameter now: as the result, milliseconds since 1970.
    func cutoff(at now: Int64) -> Int64? { days < Self.forever ? now - Int64(days) * 86_400_000 : nil }
}
