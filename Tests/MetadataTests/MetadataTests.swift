// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata
import Testing

@Suite struct `The metadata` {
    private static func withFile(_ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "cairn-metadata-\(UUID().uuidString).db"
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        try body(path)
    }

    private struct Stop: Error {}

    @Test func `rolls a failed transaction back whole`() throws {
        let metadata = try Metadata(path: nil)
        try metadata.transact { try $0.put("a", [1]) }
        let before = try metadata.entries(prefix: "")
        #expect(throws: Stop.self) {
            try metadata.transact { transaction in
                try transaction.put("a", [2])
                try transaction.put("b", [3])
                try transaction.delete("a")
                throw Stop()
            }
        }
        #expect(try metadata.entries(prefix: "") == before)
        let revision = try metadata.transact { transaction in
            try transaction.put("c", [4])
            return transaction.revision
        }
        let entry = try #require(try metadata.entry("c"))
        #expect(entry.value == [4])
        #expect(entry.revision == revision)
        #expect(revision > before[0].revision)
    }

    @Test func `sees its own changes inside a transaction`() throws {
        let metadata = try Metadata(path: nil)
        try metadata.transact { transaction in
            try transaction.put("k/1", [1])
            try transaction.put("k/2", [2])
            try transaction.delete("k/1")
            #expect(try transaction.entries(prefix: "k/").map(\.key) == ["k/2"])
            #expect(try transaction.entry("k/1") == nil)
        }
    }

    @Test func `finds keys by prefix, in byte order, page by page`() throws {
        let metadata = try Metadata(path: nil)
        let keys = ["a", "a/", "a/1", "a/10", "a/2", "a/Z", "a/a", "a/é", "a/\u{1F600}", "a0", "b", "%", "a_"]
        try metadata.transact { transaction in for key in keys { try transaction.put(key, Array(key.utf8)) } }
        for prefix in ["", "a", "a/", "a/1", "a/1000", "%", "_", "b", "zz"] {
            let expected = keys.filter { $0.utf8.starts(with: prefix.utf8) }
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(try metadata.entries(prefix: prefix).map(\.key) == expected, "\(prefix)")
            var paged: [String] = []
            while true {
                let page = try metadata.entries(prefix: prefix, after: paged.last ?? "", limit: 2)
                if page.isEmpty { break }
                #expect(page.count <= 2)
                paged += page.map(\.key)
            }
            #expect(paged == expected, "\(prefix)")
        }
    }

    @Test func `counts revisions over the whole store, and goes on after reopening`() throws {
        try Self.withFile { path in
            var last: Int64 = 0
            for round in 0..<3 {
                let metadata = try Metadata(path: path)
                #expect(try metadata.entries(prefix: "k").map(\.value) == (0..<round).map { [UInt8($0)] })
                for _ in 0..<3 {
                    let revision = try metadata.transact { transaction in
                        try transaction.put("k\(round)", [UInt8(round)])
                        return transaction.revision
                    }
                    #expect(revision > last)
                    last = revision
                    #expect(try metadata.entry("k\(round)")?.revision == revision)
                }
            }
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    private struct Trail: Codable, Equatable {
        var name: String
        var at: Date
    }

    @Test func `keeps values as JSON`() throws {
        let metadata = try Metadata(path: nil)
        let trails = (0..<3).map { Trail(name: "t/\($0)", at: Date(timeIntervalSince1970: Double($0))) }
        try metadata.transact { transaction in
            for trail in trails { try transaction.put(trail, at: "trails/" + trail.name) }
            #expect(try transaction.values(Trail.self, prefix: "trails/") == trails)
        }
        #expect(try metadata.value(Trail.self, at: "trails/t/1") == trails[1])
        #expect(try metadata.value(Trail.self, at: "trails/t/9") == nil)
        #expect(try metadata.values(Trail.self, prefix: "trails/", after: "trails/t/0", limit: 1) == [trails[1]])
        try metadata.transact { try $0.put("trails/bad", [1, 2]) }
        #expect(throws: (any Error).self) { try metadata.value(Trail.self, at: "trails/bad") }
    }
}
