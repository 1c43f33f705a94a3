// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Logstores as they were last read, so that writing logs does not wait for the metadata's disk.
final class LogstoreCache: Sendable {
    private static let most = 1024

    private struct State {
        var logstores: [String: Logstore] = [:]
        /// By the logstore's id; holds as long as the index object is the same.
        var configurations: [String: (index: Data, meaning: IndexConfiguration)] = [:]
        /// Counts changes: what was read before one is not kept after it.
        var changes: UInt64 = 0
    }

    private let state = Mutex(State())

    /// - Parameter load: reads the logstore; none is not remembered.
    func logstore(_ path: String, load: () throws -> Logstore) throws -> Logstore {
        let (known, changes) = state.withLock { ($0.logstores[path], $0.changes) }
        if let known { return known }
        let logstore = try load()
        state.withLock { state in
            guard state.changes == changes else { return }
            if state.logstores.count >= Self.most { state.logstores.removeAll() }
            state.logstores[path] = logstore
        }
        return logstore
    }

    /// To be called after the logstore was changed or deleted, and before that is told to anyone.
    func drop(_ path: String) {
        state.withLock { state in
            state.logstores[path] = nil
            state.changes += 1
        }
    }

    /// What a logstore's index object means; the same object is parsed once.
    func configuration(of logstore: Logstore) throws(LogServiceError) -> IndexConfiguration? {
        guard let index = logstore.index else { return nil }
        if let known = state.withLock({ $0.configurations[logstore.id] }), known.index == index { return known.meaning }
        let meaning = try IndexDocument(index).configuration()
        state.withLock { state in
            if state.configurations.count >= Self.most { state.configurations.removeAll() }
            state.configurations[logstore.id] = (index, meaning)
        }
        return meaning
    }
}
