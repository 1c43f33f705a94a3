// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Sums and products as in Presto: integers do not wrap and divide to integers, doubles follow IEEE 754.
enum SQLArithmetic {
    static func evaluator(
        _ sign: SQLOperator, _ left: @escaping SQLEvaluator, _ right: @escaping SQLEvaluator, isDouble: Bool, at position: Int
    ) -> SQLEvaluator {
        if isDouble {
            let apply = real(sign)
            return { frame, row in
                let one = try left(frame, row)
                let other = try right(frame, row)
                return one.isNull || other.isNull ? .null : .double(apply(one.real, other.real))
            }
        }
        return { frame, row in
            let one = try left(frame, row)
            let other = try right(frame, row)
            if one.isNull || other.isNull { return .null }
            return try SQLCompiler.placed(position) { .integer(try integer(sign, one.int, other.int)) }
        }
    }

    private static func real(_ sign: SQLOperator) -> (Double, Double) -> Double {
        switch sign {
        case .add: { $0 + $1 }
        case .subtract: { $0 - $1 }
        case .multiply: { $0 * $1 }
        case .divide: { $0 / $1 }
        default: { $0.truncatingRemainder(dividingBy: $1) }
        }
    }

    static func integer(_ sign: SQLOperator, _ left: Int64, _ right: Int64) throws(SQLFailure) -> Int64 {
        let (result, hasOverflowed): (Int64, Bool)
        switch sign {
        case .add: (result, hasOverflowed) = left.addingReportingOverflow(right)
        case .subtract: (result, hasOverflowed) = left.subtractingReportingOverflow(right)
        case .multiply: (result, hasOverflowed) = left.multipliedReportingOverflow(by: right)
        default:
            if right == 0 { throw .data("/ by zero") }
            if sign == .divide {
                (result, hasOverflowed) = left.dividedReportingOverflow(by: right)
            } else {
                (result, hasOverflowed) = right == -1 ? (0, false) : (left % right, false)
            }
        }
        if hasOverflowed { throw .data("bigint overflow: \(left) \(sign.rawValue) \(right)") }
        return result
    }
}
