// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// What a load costs a server while it grows: processor seconds at some ten moments of it.
final class Growth: Sendable {
    private let process: Int32
    private let step: Int
    private let marks: Mutex<[(events: Int, seconds: Double)]>

    /// - Parameter events: of the whole load.
    init(of process: Int32, events: Int) {
        self.process = process
        step = max(1, events / 10)
        marks = Mutex([(0, MeasuredServer.processorSeconds(of: process))])
    }

    /// To be told after each batch.
    ///
    /// - Parameter events: sent so far.
    func note(events: Int) {
        marks.withLock { marks in
            guard events / step > (marks.last?.events ?? 0) / step else { return }
            marks.append((events, MeasuredServer.processorSeconds(of: process)))
        }
    }

    /// Nil if there were too few moments to compare.
    var text: String? {
        let marks = marks.withLock { $0 }
        guard marks.count > 6 else { return nil }
        func cost(_ first: Int, _ last: Int) -> Double {
            (marks[last].seconds - marks[first].seconds) / Double(marks[last].events - marks[first].events) * 1e6
        }
        return String(
            format: "first third %.2f, last third %.2f processor seconds a million", cost(0, marks.count / 3),
            cost(marks.count - 1 - marks.count / 3, marks.count - 1))
    }
}
