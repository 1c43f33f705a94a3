// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import LogEngine
import Testing

@Suite struct `The newest groups of records` {
    /// A tail keeps no column for such a field.
    @Test func `are none of a field that no record has`() throws {
        let store = try WordStore(disk: MemoryDisk(), tailRows: 100)
        try store.commit((0..<5).map { WordRecord(eventId: "e\($0)", time: Int64($0), tags: ["t"]) })
        #expect(try store.engine.newestGroups(store.query(), by: WordRecord.colour, limit: 3).isEmpty)
        #expect(try store.engine.newestGroups(store.query(), by: WordRecord.tag, limit: 3).count == 1)
        #expect(try store.engine.count(store.query(), by: [WordRecord.colour]).groupCount == 0)
    }
}
