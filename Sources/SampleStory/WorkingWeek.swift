// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// How the events of a week spread over its hours, and which routine begins at a given moment.
///
/// Everything is counted in integers, so that the same sample comes out on every machine.
package struct WorkingWeek: Sendable {
    private struct Stretch {
        var begin: Int64
        /// Planned weight per second, and the sum of it before this stretch.
        var rate: UInt64
        var before: UInt64
        var startWeights: [Int]
        var startWeightSum: Int
    }

    package static let length = 7 * Calendar.day

    /// The last routine begins so early that it is over when the week ends.
    private static let quietEnd: Int64 = 1200

    private var stretches: [Stretch] = []
    private var total: UInt64 = 0
    private var current = 0

    package init(end: Int64, eventCount: Int) {
        let growth = min(max(1, eventCount / 6000), 8)
        let sums = Routine.week.map { WorkingWeek.weeklySum(of: $0.schedule) }
        var begin = end - WorkingWeek.length
        let lastStart = end - WorkingWeek.quietEnd
        while begin < lastStart {
            let nextHour = (Calendar.floorDivide(begin, Calendar.hour) + 1) * Calendar.hour
            let office = begin + Calendar.officeOffset
            let hour = Int(Calendar.floorDivide(office, Calendar.hour) - Calendar.officeDay(begin) * 24)
            let weekday = Calendar.weekday(officeDay: Calendar.officeDay(begin))
            let weights = zip(Routine.week, sums).map { routine, sum in
                routine.share * (routine.growsWithSample ? growth : 1) * 100_000
                    * routine.schedule.weight(weekday: weekday, hour: hour) / sum
            }
            let starts = zip(Routine.week, weights).map { $1 / $0.meanLength }
            let rate = UInt64(weights.reduce(0, +))
            stretches.append(
                Stretch(
                    begin: begin, rate: rate, before: total, startWeights: starts,
                    startWeightSum: starts.reduce(0, +)))
            total += rate * UInt64(min(nextHour, lastStart) - begin)
            begin = nextHour
        }
    }

    private static func weeklySum(of schedule: Schedule) -> Int {
        (0..<7).map { weekday in
            (0..<24).map { schedule.weight(weekday: weekday, hour: $0) }.reduce(0, +)
        }.reduce(0, +)
    }

    /// When `done` of `planned` events have passed; ask with growing numbers only.
    package mutating func moment(after done: Int, of planned: Int) -> Int64 {
        let product = total.multipliedFullWidth(by: UInt64(done))
        let target = UInt64(planned).dividingFullWidth(product).quotient
        while current + 1 < stretches.count, stretches[current + 1].before <= target {
            current += 1
        }
        let stretch = stretches[current]
        return stretch.begin + Int64((target - stretch.before) / stretch.rate)
    }

    /// The routine that begins at the moment last asked for.
    package func routine(using generator: inout SplitMix64) -> Int {
        let stretch = stretches[current]
        var rest = generator.next(below: stretch.startWeightSum)
        for (routine, weight) in stretch.startWeights.enumerated() {
            if rest < weight { return routine }
            rest -= weight
        }
        preconditionFailure("the weights of an hour add up to their sum")
    }
}
