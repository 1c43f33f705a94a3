// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import EventHistory
import Foundation
import KeyManagement
import Metadata
import Testing

@Suite struct `The quarantine` {
    private let disk = MemoryDisk()
    private let metadata = try! Metadata(path: nil)

    private func open(limit: UInt64 = 1 << 30) throws -> Quarantine {
        try Quarantine(
            folder: "q", disk: disk, keys: KeyService(metadata: metadata, rootKeyPath: "root.key", disk: disk), limit: limit)
    }

    private func entries(_ request: String, _ lines: Range<Int>, owner: String = account, size: Int = 10) -> [Quarantine.Entry] {
        lines.map {
            .init(
                account: owner, receivedAt: "2026-01-01T00:00:00Z", requestId: request, source: "1.2.3.4", line: $0,
                code: "InvalidJSON", message: "m", record: Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }))
        }
    }

    @Test func `keeps each record once and pages through them, newest request first`() throws {
        let quarantine = try open()
        for request in 0..<5 {
            try quarantine.keep(entries("r\(request)", 0..<7), receivedAtMilliseconds: start + Int64(request))
            try quarantine.keep(entries("r\(request)", 0..<3, owner: "2"), receivedAtMilliseconds: start + Int64(request))
        }
        for limit in [1, 2, 3, 7, 8, 100] {
            var seen: [String] = []
            var before: String?
            while true {
                let page = try open().entries(account: account, before: before, limit: limit)
                #expect(page.entries.count <= limit)
                seen += page.entries.map { "\($0.requestId)/\($0.line)" }
                guard let next = page.next else { break }
                before = next
            }
            #expect(seen == (0..<5).reversed().flatMap { request in (0..<7).map { "r\(request)/\($0)" } }, "limit \(limit)")
        }
        #expect(try quarantine.entries(account: "3", before: nil, limit: 10).entries.isEmpty)
        #expect(try quarantine.entries(account: account, before: "0", limit: 10).entries.isEmpty)
    }

    @Test func `passes over what was changed and what is not its own`() throws {
        let quarantine = try open()
        try quarantine.keep(entries("../../x", 0..<2), receivedAtMilliseconds: start)
        try quarantine.keep(entries("b", 0..<2), receivedAtMilliseconds: start + 1)
        let names = try disk.list("q")
        #expect(names.count == 2 && names.allSatisfy { !$0.contains("..") && !$0.contains("/") })
        let size = Int(try disk.size(of: "q/" + names[1]) ?? 0)
        for offset in stride(from: 0, to: size, by: 7) {
            disk.flipBit(in: "q/" + names[1], at: offset)
            #expect(try quarantine.entries(account: account, before: nil, limit: 10).entries.count == 2, "byte \(offset)")
            disk.flipBit(in: "q/" + names[1], at: offset)
        }
        try disk.create("q/zz.rejected").append([1, 2, 3])
        try disk.create("q/readme").append([1, 2, 3])
        #expect(try open().entries(account: account, before: nil, limit: 10).entries.count == 4)
        #expect(try disk.size(of: "q/readme") == 3)
    }

    @Test func `drops the oldest past its limit`() throws {
        let quarantine = try open(limit: 20_000)
        for request in 0..<60 {
            try quarantine.keep(entries("r\(request)", 0..<3, size: 300), receivedAtMilliseconds: start + Int64(request))
        }
        #expect(disk.used < 22_000)
        let held = try quarantine.entries(account: account, before: nil, limit: 1000).entries
        #expect(held.first?.requestId == "r59")
        #expect(!held.contains { $0.requestId == "r0" })
    }
}
