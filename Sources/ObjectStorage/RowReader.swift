// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Metadata

/// Rows as they are now, or as they are inside a transaction.
protocol RowReader {
    func entry(_ key: String) throws -> Metadata.Entry?
    func entries(prefix: String, after: String, limit: Int) throws -> [Metadata.Entry]
}

extension Metadata: RowReader {}
extension Metadata.Transaction: RowReader {}

extension RowReader {
    /// Calls `body` with every row under `prefix`, a page at a time.
    func forEachEntry(prefix: String, _ body: (Metadata.Entry) throws -> Void) throws {
        var position = ""
        while true {
            let page = try entries(prefix: prefix, after: position, limit: 500)
            for entry in page { try body(entry) }
            guard page.count == 500, let last = page.last else { return }
            position = last.key
        }
    }
}
