// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What keys of values say, as far as somebody asked: it never changes.
final class ColumnNames: Sendable {
    private struct State {
        var values: [UInt64: [UInt8]] = [:]
        var bytes = 0
    }

    private static let bytesLimit = 16 << 20
    private static let overhead = 64
    private let state = Mutex(State())

    /// - Parameters:
    ///   - key: of the value within the field, see `GroupCounts.isKey`.
    ///   - find: reads a record that has the value.
    /// - Returns: nil if no record tells.
    func value(field: UInt8, key: UInt64, _ find: () throws -> [UInt8]?) rethrows -> [UInt8]? {
        let place = UInt64(field) << 40 | key
        if let known = state.withLock({ $0.values[place] }) { return known }
        guard let found = try find() else { return nil }
        state.withLock { state in
            if state.bytes > Self.bytesLimit { state = State() }
            if state.values.updateValue(found, forKey: place) == nil { state.bytes += found.count + Self.overhead }
        }
        return found
    }
}
