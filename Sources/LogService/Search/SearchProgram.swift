// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A search as steps: each looks at one condition and says where to go on. `not` needs no step, it exchanges the two ways.
struct SearchProgram: Sendable {
    struct Step: Sendable {
        var condition: Int
        /// Steps, or one of the two outcomes.
        var ifTrue: Int
        var ifFalse: Int
    }

    static let found = -1
    static let passedOver = -2

    private(set) var steps: [Step] = []
    private(set) var first = found

    init(_ expression: BoundExpression) {
        first = add(expression, ifTrue: Self.found, ifFalse: Self.passedOver)
    }

    /// Adds the steps of an expression, last ones first; gives the step it begins with.
    private mutating func add(_ expression: BoundExpression, ifTrue: Int, ifFalse: Int) -> Int {
        switch expression {
        case .all: return ifTrue
        case .condition(let condition):
            steps.append(Step(condition: condition, ifTrue: ifTrue, ifFalse: ifFalse))
            return steps.count - 1
        case .and(let parts): return parts.reversed().reduce(ifTrue) { add($1, ifTrue: $0, ifFalse: ifFalse) }
        case .or(let parts): return parts.reversed().reduce(ifFalse) { add($1, ifTrue: ifTrue, ifFalse: $0) }
        case .not(let part): return add(part, ifTrue: ifFalse, ifFalse: ifTrue)
        }
    }
}
