// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where the compliance clock gets its time from. All values are milliseconds.
public struct TimeSources: Sendable {
    /// Since 1970, as the system says.
    public var wall: @Sendable () -> Int64
    /// Since some moment of this boot; goes on while the machine is suspended, and nobody can set it.
    public var monotonic: @Sendable () -> Int64
    /// Names the boot that ``monotonic`` counts in; empty if unknown.
    public var bootId: String

    public init(
        wall: @escaping @Sendable () -> Int64, monotonic: @escaping @Sendable () -> Int64, bootId: String
    ) {
        self.wall = wall
        self.monotonic = monotonic
        self.bootId = bootId
    }

    /// The system's clocks.
    public static var system: TimeSources {
        let bootId = try? LocalDisk().openForReading("/proc/sys/kernel/random/boot_id").read(count: 36, at: 0)
        return TimeSources(
            wall: { read(CLOCK_REALTIME) },
            monotonic: { read(boottime) },
            bootId: bootId.map { String(decoding: $0, as: UTF8.self) } ?? "")
    }

    #if canImport(Glibc)
        private static let boottime = CLOCK_BOOTTIME
    #else
        // Darwin's monotonic clock goes on during sleep.
        private static let boottime = CLOCK_MONOTONIC
    #endif

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        precondition(clock_gettime(clock, &time) == 0, "the system has no clock \(clock)")
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
