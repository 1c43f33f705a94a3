// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A habit: who does it, when, and which calls it consists of.
package struct Routine: Sendable {
    package var name: String
    package var personas: [String]
    package var schedule: Schedule
    /// Its part of all events of the week, relative to the other routines.
    package var share: Int
    /// Larger samples have more machines, not more people.
    package var growsWithSample = true
    package var opening: [String] = []
    package var bag: KeyValuePairs<String, Int>
    package var bagDraws: ClosedRange<Int>
    package var closing: [String] = []
    package var fills: KeyValuePairs<Slot, String> = [:]
    package var secondsBetween: ClosedRange<Int>
    package var deniedPerMille = 6
    package var throttledPerMille = 8

    package var meanLength: Int {
        opening.count + (bagDraws.lowerBound + bagDraws.upperBound) / 2 + closing.count
    }
}

/// How busy an hour of the week is, on the office's clock.
package enum Schedule: Sendable {
    case office, deploying, nightly, always, mornings

    package func weight(weekday: Int, hour: Int) -> Int {
        let isWeekend = weekday >= 5
        switch self {
        case .office: return isWeekend ? Schedule.officeHours[hour] / 16 : Schedule.officeHours[hour]
        case .deploying: return isWeekend ? 4 : 6 + Schedule.officeHours[hour]
        case .nightly: return (1...4).contains(hour) ? 100 : 0
        case .always: return 60 + Schedule.officeHours[hour] / (isWeekend ? 5 : 2)
        case .mornings: return isWeekend ? 0 : (9...11).contains(hour) ? 100 : (14...16).contains(hour) ? 30 : 0
        }
    }

    private static let officeHours = [
        0, 0, 0, 0, 0, 0, 0, 3, 24, 70, 100, 95, 40, 60, 100, 96, 92, 74, 36, 16, 10, 8, 4, 0,
    ]
}
