// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata
import Synchronization

/// Retention time: a clock of the store's own that nobody can set.
///
/// While the service runs it advances with the monotonic clock alone. Over a stop it advances by what the monotonic
/// clock says, if the machine was not restarted, else by what the wall clock claims; in both cases between nothing and
/// ``longestBelievedStop``. Whatever the wall clock claims beyond that is reported, not believed. It never goes back.
/// Source: docs/decisions/0011.
final class ComplianceClock: Sendable {
    /// A service that was stopped for longer keeps objects for longer; never for less.
    static let longestBelievedStop: Int64 = 24 * 3600 * 1000
    /// What the wall clock may differ between two looks before it is called a jump.
    static let tolerance: Int64 = 5 * 60 * 1000

    private struct Row: Codable {
        var time: Int64
        var wall: Int64
        var monotonic: Int64
        var bootId: String
    }

    private struct State {
        /// Retention time and both clocks at the last look.
        var time: Int64
        var wall: Int64
        var monotonic: Int64
    }

    private let sources: TimeSources
    private let metadata: Metadata
    private let rows: SealedRows
    private let report: Reporter
    private let state: Mutex<State>

    /// - Parameter newestCommit: finds the latest retention time on any object, for when the clock's own row is gone or
    ///   damaged; nil if there is nothing to protect.
    init(
        sources: TimeSources, metadata: Metadata, rows: SealedRows, report: Reporter,
        newestCommit: () throws -> Int64?
    ) throws {
        self.sources = sources
        self.metadata = metadata
        self.rows = rows
        self.report = report
        let wall = sources.wall()
        let monotonic = sources.monotonic()
        let found = try metadata.entry(RowPath.clock).map { rows.read(Row.self, $0) }
        if let found, found.isIntact, let row = found.value {
            let claimed = wall - row.wall
            let isSameBoot = !row.bootId.isEmpty && row.bootId == sources.bootId && monotonic >= row.monotonic
            let elapsed = isSameBoot ? monotonic - row.monotonic : claimed
            let believed = min(max(elapsed, 0), Self.longestBelievedStop)
            state = Mutex(State(time: row.time + believed, wall: wall, monotonic: monotonic))
            if abs(claimed - believed) > Self.tolerance {
                report(.clockJump(jump(.stopped, claimed: claimed, believed: believed, time: row.time + believed)))
            }
        } else {
            let newest = try newestCommit()
            // The wall clock is believed only while there is nothing that it could free.
            state = Mutex(State(time: newest ?? wall, wall: wall, monotonic: monotonic))
            if newest != nil || found != nil {
                report.damage(bucket: "", key: "", what: "the row of the compliance clock is gone or was changed")
            }
        }
        try save()
    }

    /// Milliseconds of retention time.
    var now: Int64 {
        let monotonic = sources.monotonic()
        return state.withLock { $0.time + max(0, monotonic - $0.monotonic) }
    }

    /// Looks for jumps of the wall clock and makes the time durable; for each minute and the stop.
    func tick() throws {
        let wall = sources.wall()
        let monotonic = sources.monotonic()
        let (claimed, believed, time) = state.withLock { state in
            let believed = max(0, monotonic - state.monotonic)
            let claimed = wall - state.wall
            state = State(time: state.time + believed, wall: wall, monotonic: max(monotonic, state.monotonic))
            return (claimed, believed, state.time)
        }
        if abs(claimed - believed) > Self.tolerance {
            report(.clockJump(jump(.running, claimed: claimed, believed: believed, time: time)))
        }
        try save()
    }

    private func save() throws {
        try metadata.transact { transaction in
            // Read inside, so that of two calls the later time is the one that stays.
            let row = state.withLock { Row(time: $0.time, wall: $0.wall, monotonic: $0.monotonic, bootId: sources.bootId) }
            try transaction.put(row, at: RowPath.clock, sealedBy: rows)
        }
    }

    private func jump(_ occasion: ClockJump.Occasion, claimed: Int64, believed: Int64, time: Int64) -> ClockJump {
        ClockJump(
            occasion: occasion, claimed: claimed, believed: believed, wallTime: Date(milliseconds: sources.wall()),
            retentionTime: Date(milliseconds: time))
    }
}

extension Date {
    init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
    var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded(.down)) }
}
