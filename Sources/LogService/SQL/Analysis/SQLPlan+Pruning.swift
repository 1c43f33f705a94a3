// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLPlan {
    /// The same rows with only the wanted columns right: what is not wanted is not computed and not read. Places stay as
    /// they are, so that nothing needs to be numbered again.
    func pruned(to wanted: Set<Int>) -> SQLPlan {
        switch self {
        case .scan(var scan):
            for index in scan.isWanted.indices { scan.isWanted[index] = wanted.contains(index) }
            return .scan(scan)
        case .values: return self
        case .filter(let input, let condition):
            return .filter(input.pruned(to: wanted.union(SQLPlan.columns(of: [condition]))), condition)
        case .project(let input, let expressions):
            var kept = expressions
            for index in kept.indices where !wanted.contains(index) { kept[index].kind = .constant(.null) }
            return .project(input.pruned(to: SQLPlan.columns(of: kept)), kept)
        case .aggregate(let input, let aggregation):
            return .aggregate(input.pruned(to: SQLPlan.columns(of: expressions)), aggregation)
        case .window(let input, let calls):
            return .window(input.pruned(to: wanted.union(SQLPlan.columns(of: expressions))), calls)
        case .sort(let input, let keys, let limit):
            return .sort(input.pruned(to: wanted.union(SQLPlan.columns(of: expressions))), keys, limit: limit)
        case .limit(let input, let offset, let count): return .limit(input.pruned(to: wanted), offset: offset, count: count)
        case .join(var join):
            var both = wanted
            if let condition = join.condition { both.formUnion(SQLPlan.columns(of: [condition])) }
            let width = join.leftWidth
            let left = both.filter { $0 < width }.union(SQLPlan.columns(of: join.keys.map(\.left)))
            let right = Set(both.filter { $0 >= width }.map { $0 - width }).union(SQLPlan.columns(of: join.keys.map(\.right)))
            join.left = join.left.pruned(to: left)
            join.right = join.right.pruned(to: right)
            return .join(join)
        case .unnest(let input, let expressions, let withOrdinality):
            return .unnest(
                input.pruned(to: wanted.union(SQLPlan.columns(of: expressions))), expressions, withOrdinality: withOrdinality)
        case .concatenation(let first, let second):
            return .concatenation(first.pruned(to: wanted), second.pruned(to: wanted))
        case .membership(let first, let second, let isIn):
            // Whole rows are compared.
            return .membership(first.prunedToAll, second.prunedToAll, isIn: isIn)
        }
    }

    private var prunedToAll: SQLPlan { pruned(to: Set(0..<width)) }

    private static func columns(of expressions: [SQLExpression]) -> Set<Int> {
        var columns = Set<Int>()
        for expression in expressions { expression.collectColumns(into: &columns) }
        return columns
    }

    var width: Int {
        switch self {
        case .scan(let scan): scan.isWanted.count
        case .values(let rows): rows.first?.count ?? 0
        case .filter(let input, _), .sort(let input, _, _), .limit(let input, _, _): input.width
        case .project(_, let expressions): expressions.count
        case .aggregate(_, let aggregation): aggregation.keys.count + aggregation.calls.count
        case .window(let input, let calls): input.width + calls.count
        case .join(let join): join.leftWidth + join.rightWidth
        case .unnest(let input, let expressions, let withOrdinality):
            expressions.reduce(input.width) { sum, expression in
                if case .map = expression.type { return sum + 2 }
                return sum + 1
            } + (withOrdinality ? 1 : 0)
        case .concatenation(let first, _), .membership(let first, _, _): first.width
        }
    }
}
