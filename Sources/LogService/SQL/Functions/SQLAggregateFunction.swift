// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One way of calling an aggregate function.
struct SQLAggregateFunction: Sendable {
    var name: String
    var parameters: [SQLPattern]
    var result: SQLPattern
    /// Whether rows may be told once with how often they occur. The result must then be the same to the last bit.
    var isWeighted: Bool
    var make: @Sendable (SQLRun) -> SQLAccumulator

    init(
        _ name: String, _ parameters: [SQLPattern], _ result: SQLPattern, isWeighted: Bool = false,
        _ make: @escaping @Sendable (SQLRun) -> SQLAccumulator
    ) {
        self.name = name
        self.parameters = parameters
        self.result = result
        self.isWeighted = isWeighted
        self.make = make
    }
}

/// The state of an aggregate function for every group of a query. Groups are numbered from 0.
class SQLAccumulator {
    let run: SQLRun

    init(run: SQLRun) { self.run = run }

    /// There are so many groups now.
    func grow(to groups: Int) {}

    /// - Parameters:
    ///   - groups: The group of each row, negative for a row that does not count.
    ///   - weights: How often each row occurs; nil for once.
    func add(_ arguments: [SQLVector], groups: [Int], weights: [Int64]?) throws {
        for row in groups.indices where groups[row] >= 0 {
            try add(arguments.map { $0.value(row) }, group: groups[row], weight: weights?[row] ?? 1)
        }
    }

    /// One row; used where a row is looked at by itself.
    func add(_ arguments: [SQLValue], group: Int, weight: Int64) throws {}

    func result(of group: Int) throws -> SQLValue { .null }
}

/// An accumulator of one argument that has a state for each group.
class SQLStateAccumulator<State>: SQLAccumulator {
    private let initial: State
    final var states: [State] = []

    init(run: SQLRun, initial: State) {
        self.initial = initial
        super.init(run: run)
    }

    override final func grow(to groups: Int) {
        if groups > states.count { states += repeatElement(initial, count: groups - states.count) }
    }

    override final func add(_ arguments: [SQLVector], groups: [Int], weights: [Int64]?) throws {
        guard arguments.count == 1 else { return try super.add(arguments, groups: groups, weights: weights) }
        try arguments[0].forEach(in: groups) { row, value in
            if !value.isNull { try update(&states[groups[row]], value, weight: weights?[row] ?? 1) }
        }
    }

    override final func add(_ arguments: [SQLValue], group: Int, weight: Int64) throws {
        try update(&states[group], arguments, weight: weight)
    }

    /// A value that is not NULL, of a function with one argument.
    func update(_ state: inout State, _ value: SQLValue, weight: Int64) throws {}

    /// Of a function with several arguments; each may be NULL.
    func update(_ state: inout State, _ arguments: [SQLValue], weight: Int64) throws {
        if let value = arguments.first, !value.isNull { try update(&state, value, weight: weight) }
    }

    override final func result(of group: Int) throws -> SQLValue { try result(states[group]) }

    func result(_ state: State) throws -> SQLValue { .null }
}

extension SQLAggregateLibrary {
    /// The value of now of `compare`: the only one of its group, or any.
    static let compared = fold(
        "$compared", .double, .type(.array(.double)), isWeighted: true, SQLValue.null,
        { state, value, _, _ in if state.isNull { state = value } }, { $0 })
}
