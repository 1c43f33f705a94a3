// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService

/// Which logs a search can find, as far as the words of its conditions tell: all that match, and perhaps others.
indirect enum IndexWords: Sendable, Equatable {
    /// The index does not narrow it down.
    case everything
    /// Logs that have all of these, in lower case; see `BoundCondition.wordsForIndex`.
    case words([String])
    case and([IndexWords])
    case or([IndexWords])

    init(_ plan: SearchPlan) { self.init(plan.expression, conditions: plan.conditions) }

    private init(_ expression: BoundExpression, conditions: [BoundCondition]) {
        switch expression {
        case .all, .not: self = .everything
        case .condition(let index): self = conditions[index].wordsForIndex.map { .words($0) } ?? .everything
        case .and(let parts):
            let useful = parts.map { IndexWords($0, conditions: conditions) }.filter { $0 != .everything }
            self = useful.count > 1 ? .and(useful) : useful.first ?? .everything
        case .or(let parts):
            let alternatives = parts.map { IndexWords($0, conditions: conditions) }
            self = alternatives.contains(.everything) ? .everything : .or(alternatives)
        }
    }
}
