// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import LogEngine
import Testing

/// The worked examples of docs/formats are a whole small store, made with the key 00…1f: these pages and the code
/// agree for as long as version 1 is read.
@Suite struct `The worked example` {
    static let records = [
        SampleRecord(account: "anna", time: 1_700_000_000_000, unique: "e1", colour: "red", tags: ["t1", "t2"]),
        SampleRecord(account: "anna", time: 1_699_999_999_000, unique: "e2", colour: "blue", tags: ["t1"]),
    ]
    static let recordedAt: Int64 = 1_700_000_001_234

    private static let formats = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs/formats")

    /// The block ```` ```hex NAME ```` of a page: bytes in hex, `;` begins a remark.
    static func bytes(_ name: String, of page: String) throws -> [UInt8] {
        let text = try String(contentsOf: formats.appending(path: page), encoding: .utf8)
        let block = try #require(text.components(separatedBy: "```hex \(name)\n").dropFirst().first)
        return block.components(separatedBy: "```")[0].split(separator: "\n").flatMap { line in
            line.prefix { $0 != ";" }.split(separator: " ").map { UInt8($0, radix: 16)! }
        }
    }

    static func disk() throws -> MemoryDisk {
        let disk = MemoryDisk()
        try disk.replace("h/identity", with: bytes("identity", of: "envelope.md"))
        try disk.replace("h/journal/00000000000000000000.journal", with: bytes("journal", of: "journal.md"))
        try disk.replace(
            "h/segments/00000000000000000000-00000000000000000002.segment", with: bytes("segment", of: "segment.md"))
        return disk
    }

    @Test(arguments: [true, false]) func `is read, with its segment and without`(withSegment: Bool) throws {
        let disk = try Self.disk()
        if !withSegment { try disk.remove("h/segments/00000000000000000000-00000000000000000002.segment") }
        let store = try Store(disk: disk, tailRows: 3)
        #expect(store.reports.isEmpty)
        #expect(store.engine.endSequence == 2)
        #expect(store.engine.firstUnsealedSequence == (withSegment ? 2 : 0))
        for (sequence, record) in Self.records.enumerated() {
            let stored = try store.engine.record(at: UInt64(sequence))
            #expect(stored.bytes == record.bytes)
            #expect(stored.account == "anna")
            #expect(stored.recordedAt == Self.recordedAt)
        }
        let positions = Self.records.enumerated().map { LogPosition(time: $1.time, sequence: UInt64($0)) }
        #expect(try store.search(store.query("anna")) == positions)
        #expect(
            try store.search(store.query("anna", [(SampleRecord.tag, "t1")], direction: .oldestFirst)) == positions.reversed())
        #expect(try store.search(store.query("anna", [(SampleRecord.colour, "blue")])) == [positions[1]])
        #expect(try store.search(store.query("bert")).isEmpty)
        #expect(try store.commit(Self.records, recordedAt: 5) == 2)
    }

    /// Writes such a store anew when CAIRN_GOLDEN names a folder: for the page of a next version, never for this one.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["CAIRN_GOLDEN"] != nil))
    func `is written`() throws {
        let folder = ProcessInfo.processInfo.environment["CAIRN_GOLDEN"]!
        let store = try Store(disk: LocalDisk(), folder: folder, tailRows: 2)
        _ = try store.commit(Self.records, recordedAt: Self.recordedAt)
        _ = try store.commit(Self.records, recordedAt: Self.recordedAt)
        store.settle()
    }
}
