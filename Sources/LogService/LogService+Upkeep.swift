// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// What is done from time to time.
extension LogService {
    /// Drops what each logstore need not keep any longer. Called from time to time.
    public func dropExpired() async {
        guard let logstores = try? registry.allLogstores() else { return }
        for logstore in logstores where logstore.retention.cutoff(at: milliseconds) != nil {
            _ = try? await LongWork.open { [self] in
                // A trail may have taken the logstore meanwhile.
                let current = try registry.logstore(logstore.name, project: logstore.project, id: logstore.id)
                guard let cutoff = current.retention.cutoff(at: milliseconds) else { return }
                try openedStore(current).drop(olderThan: cutoff)
                close(slot(logstore), onlyIdle: true)
            }
        }
    }

    /// Closes stores that nobody asked for in a while: each has tails, caches and open files. Called from time to time.
    public func closeIdle() async {
        for slot in slots.withLock({ Array($0.values) }) {
            _ = try? await LongWork.open { [self] in close(slot, onlyIdle: true) }
        }
    }
}
