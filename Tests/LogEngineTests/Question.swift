// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// A search as the naive log understands it.
struct Question: CustomStringConvertible {
    var account: String
    var terms: [(field: UInt8, value: String)] = []
    var times: ClosedRange<Int64> = .min ... .max
    var direction = SearchDirection.newestFirst
    var after: LogPosition?

    var description: String {
        "\(account) \(terms) \(times) \(direction) after \(after.map { "\($0.time):\($0.sequence)" } ?? "nothing")"
    }

    func query(for store: Store) -> SearchQuery {
        store.query(account, terms, times: times, direction: direction, after: after)
    }
}
