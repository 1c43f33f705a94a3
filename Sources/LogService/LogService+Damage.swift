// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// An index that is damaged is made again when the logstore is opened: what comes upon damage is tried once more after that.
extension LogService {
    /// So many damages are mended for one call, each in another part of the logstore.
    private static let attempts = 16

    /// Reads a logstore, and once more after each damage that opening it again may mend.
    ///
    /// - Throws: ``LogServiceError``, `CancellationError`, `StoreDamage` that is still there after that.
    func read<Result: Sendable>(
        _ logstore: Logstore, _ body: @escaping @Sendable (LogStore) async throws -> Result
    ) async throws -> Result {
        var seen: Set<String> = []
        while true {
            let store = try await store(logstore)
            do { return try await body(store) } catch let damage as StoreDamage {
                try note(damage, &seen, of: logstore)
                try await LongWork.open { [self] in giveUp(store, of: logstore) }
            }
        }
    }

    /// As ``read(_:_:)``, on this thread.
    func readNow<Result>(_ logstore: Logstore, _ body: (LogStore) throws -> Result) throws -> Result {
        var seen: Set<String> = []
        while true {
            let store = try openedStore(logstore)
            do { return try body(store) } catch let damage as StoreDamage {
                try note(damage, &seen, of: logstore)
                giveUp(store, of: logstore)
            }
        }
    }

    /// - Throws: the damage, if opening the logstore again does not help.
    private func note(_ damage: StoreDamage, _ seen: inout Set<String>, of logstore: Logstore) throws {
        let name = damage.description
        let isLasting = slot(logstore).lastingDamage.withLock { known in
            if seen.contains(name), known.count < Self.lastingDamageLimit { known.insert(name) }
            return known.contains(name)
        }
        guard !isLasting, seen.insert(name).inserted, seen.count <= Self.attempts else { throw damage }
    }

    private static let lastingDamageLimit = 1000

    /// Closes a store in which somebody came upon damage, unless another did so before.
    private func giveUp(_ damaged: LogStore, of logstore: Logstore) {
        slot(logstore).store.withLock { store in
            guard let current = store, current === damaged else { return }
            current.close()
            store = nil
        }
    }
}
