// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What the value of an expression depends on.
struct SQLDependence {
    private var columns = Set<Int>()
    private var locals = Set<Int>()
    private var isPure = true

    init(of expression: SQLExpression) { visit(expression) }

    /// The only column of the row that the value depends on, if it depends on nothing else.
    var single: Int? { isPure && locals.isEmpty && columns.count == 1 ? columns.first : nil }

    private mutating func visit(_ expression: SQLExpression) {
        switch expression.kind {
        case .column(let index, depth: 0): columns.insert(index)
        case .column, .aggregate, .window, .subquery: isPure = false
        case .local(let slot): locals.insert(slot)
        case .call(let function, _) where !function.isDeterministic: isPure = false
        default: break
        }
        for child in expression.children { visit(child) }
        if case .lambda(let slots, _) = expression.kind { locals.subtract(slots) }
    }
}
