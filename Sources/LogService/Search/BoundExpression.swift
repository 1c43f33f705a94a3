// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A search over numbered conditions.
package indirect enum BoundExpression: Sendable, Equatable {
    case all
    case condition(Int)
    case and([BoundExpression])
    case or([BoundExpression])
    case not(BoundExpression)
}
