// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// Hands reports to the server on a thread of its own: they come up inside transactions, in which the server could not
/// record anything.
final class Reporter: Sendable {
    private let receiver: @Sendable (StoreReport) -> Void
    private let queue = DispatchQueue(label: "cairn.object-store.reports")
    private let known = Mutex<Set<String>>([])
    /// Beyond this many the same damage may be reported again.
    private static let remembered = 10_000

    init(_ receiver: @escaping @Sendable (StoreReport) -> Void) { self.receiver = receiver }

    func callAsFunction(_ report: StoreReport) {
        queue.async { [receiver] in receiver(report) }
    }

    /// Reports damage, once for each place and kind.
    func damage(bucket: String, key: String, what: String) {
        let isNew = known.withLock { known in
            if known.count >= Self.remembered { known.removeAll() }
            return known.insert("\(bucket)/\(key)\u{0}\(what)").inserted
        }
        if isNew { self(.damage(bucket: bucket, key: key, what: what)) }
    }

    /// Returns when everything before has been handed over.
    func flush() { queue.sync {} }
}
