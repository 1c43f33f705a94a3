// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// When the events of the traffic happen: more in some hours of a day than in others.
struct TrafficClock {
    private var nanoseconds: Int64

    /// How long it is from one event to the next in each hour, in hundredths of the mean.
    private static let hours: [Int64] = [
        100, 118, 134, 149, 160, 167, 169, 167, 160, 149, 134, 118, 100, 82, 66, 51, 40, 33, 31, 33, 40, 51, 66, 82,
    ]
    private static let second: Int64 = 1_000_000_000

    init(start: Int64) { nanoseconds = start * Self.second }

    /// Seconds since 1970 of the next event.
    mutating func next(using generator: inout SplitMix64) -> Int64 {
        let seconds = Calendar.floorDivide(nanoseconds, Self.second)
        let hour = Calendar.floorDivide(seconds, Calendar.hour) % 24
        nanoseconds += Self.second / SampleTraffic.eventsPerSecond * Self.hours[Int(hour < 0 ? hour + 24 : hour)] / 100
        let late = generator.chance(perMille: 30) ? 300_000 : 1500
        return Calendar.floorDivide(nanoseconds - Int64(generator.next(below: late)) * 1_000_000, Self.second)
    }
}
