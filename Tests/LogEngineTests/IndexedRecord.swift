// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// A record of the tests that can be committed.
protocol IndexedRecord {
    var account: String { get }
    var bytes: [UInt8] { get }

    func index(_ hasher: TermHasher, _ facts: inout RowFacts)
}

extension LogEngine {
    /// Runs of records of one account, each run a batch of one frame.
    ///
    /// - Parameter perFrame: the longest run.
    func batches(_ records: [some IndexedRecord], perFrame: Int) -> [Batch] {
        var batches: [Batch] = []
        var rest = records[...]
        while let account = rest.first?.account {
            let run = rest.prefix { $0.account == account }.prefix(perFrame)
            rest = rest.dropFirst(run.count)
            var payload = newFrame(account: account)
            var facts = RowFacts()
            let hasher = hasher(account: account)
            for record in run {
                record.bytes.withUnsafeBytes { payload.append($0, flags: [], receivedDigest: nil) }
                record.index(hasher, &facts)
            }
            batches.append(Batch(account: account, frames: [payload.prepared()], facts: facts))
        }
        return batches
    }
}
