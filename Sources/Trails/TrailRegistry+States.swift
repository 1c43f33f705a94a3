// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Metadata

extension TrailRegistry {
    /// Changes the state of a trail's delivery to its bucket.
    ///
    /// - Throws: `CancellationError` if the trail is gone: its state is nobody's.
    @discardableResult
    func change(_ trail: Trail, _ change: (inout DeliveryState) -> Void) throws -> DeliveryState {
        try metadata.transact { transaction in
            try checkPresence(of: trail, in: transaction)
            return try changeState(of: trail, in: transaction, change)
        }
    }

    /// The same for its logstore.
    @discardableResult
    func changeLogs(of trail: Trail, _ change: (inout LogDeliveryState) -> Void) throws -> LogDeliveryState {
        try metadata.transact { transaction in
            try checkPresence(of: trail, in: transaction)
            return try changeLogState(of: trail, in: transaction, change)
        }
    }

    /// Keeps what a delivery has done; a stop that was sealed meanwhile, and what history jobs delivered, stay.
    func save(_ state: DeliveryState, of trail: Trail) throws {
        try change(trail) { kept in
            var state = state
            state.takeOver(from: kept)
            kept = state
        }
    }

    func save(_ state: LogDeliveryState, of trail: Trail) throws {
        try changeLogs(of: trail) { kept in
            var state = state
            state.takeOver(from: kept)
            state.abandoned = kept.abandoned
            kept = state
        }
    }

    private func checkPresence(of trail: Trail, in transaction: Metadata.Transaction) throws {
        guard try transaction.value(Trail.self, at: Self.path(trail.accountId, trail.name))?.id == trail.id else {
            throw CancellationError()
        }
    }

    @discardableResult
    func changeState(
        of trail: Trail, in transaction: Metadata.Transaction, _ change: (inout DeliveryState) -> Void
    ) throws -> DeliveryState {
        let before = try transaction.value(DeliveryState.self, at: Self.statePath(trail)) ?? DeliveryState()
        var state = before
        change(&state)
        if state != before { try transaction.put(state, at: Self.statePath(trail)) }
        return state
    }

    @discardableResult
    func changeLogState(
        of trail: Trail, in transaction: Metadata.Transaction, _ change: (inout LogDeliveryState) -> Void
    ) throws -> LogDeliveryState {
        let before = try transaction.value(LogDeliveryState.self, at: Self.logStatePath(trail)) ?? LogDeliveryState()
        var state = before
        change(&state)
        if state != before { try transaction.put(state, at: Self.logStatePath(trail)) }
        return state
    }
}
