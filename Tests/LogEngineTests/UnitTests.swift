// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import KeyManagement
import LogEngine
import Testing

@Suite struct `The keyed hash` {
    /// From the authors' reference implementation, `vectors.h` of SipHash-2-4: key 00…0f, message 00…(n-1), output as a
    /// little-endian number.
    static let published: [(length: Int, hash: UInt64)] = [
        (0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd), (8, 0x93f5_f579_9a93_2462), (15, 0xa129_ca61_49be_45e5),
    ]

    @Test(arguments: published.indices) func `gives the published values`(index: Int) {
        let (length, hash) = Self.published[index]
        let sip = SipHash(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908, compressionRounds: 2, finalRounds: 4)
        #expect((0..<UInt8(length)).map { $0 }.withUnsafeBytes { sip.hash($0) } == hash)
    }

    @Test func `tells accounts and fields apart`() {
        let store = SipHash(1, 2)
        let hashes = ["anna", "bert"].flatMap { account in
            (UInt8(0)..<4).map { TermHasher(store: store, account: account).hash(field: $0, value: "same") }
        }
        #expect(Set(hashes).count == hashes.count)
    }
}

@Suite struct `Byte coding` {
    @Test func `reads varints back and refuses cut ones`() throws {
        var writer = ByteWriter()
        let values: [UInt64] = [0, 1, 127, 128, 300, 1 << 35, .max] + (0..<64).map { 1 << $0 }
        let signed: [Int64] = [0, -1, 1, .min, .max, -64, 64]
        for value in values { writer.putVarint(value) }
        for value in signed { writer.putZigzag(value) }
        writer.put("Grüße")
        let read = try writer.bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            let unsigned = try values.map { _ in try reader.getVarint() }
            let zigzag = try signed.map { _ in try reader.getZigzag() }
            let text = try reader.getText()
            let hasMore = (try? reader.get(UInt8.self)) != nil
            return (unsigned, zigzag, text, hasMore)
        }
        #expect(read.0 == values)
        #expect(read.1 == signed)
        #expect(read.2 == "Grüße")
        #expect(!read.3)
        let three = [UInt8(0xAC), 0x02].withUnsafeBytes { buffer -> UInt64? in
            var reader = ByteReader(buffer)
            return try? reader.getVarint()
        }
        #expect(three == 300)
        for bytes in [[], [0x80], [UInt8](repeating: 0xFF, count: 11)] as [[UInt8]] {
            #expect(throws: FormatError.truncated) {
                try bytes.withUnsafeBytes { buffer in
                    var reader = ByteReader(buffer)
                    return try reader.getVarint()
                }
            }
        }
    }
}

@Suite struct `Posting lists` {
    @Test(arguments: UInt64(1)...60) func `are sets again`(seed: UInt64) throws {
        var random = Seeded(seed)
        let span = [1, 9, 200, 70_000][random.below(4)]
        let base = UInt32([0, 7, 4_000_000_000 - 70_000][random.below(3)])
        let rows = Set((0..<[1, 3, 100, 5000][random.below(4)]).map { _ in base + UInt32(random.below(span)) }).sorted()
        var writer = ByteWriter()
        Postings.encode(rows, into: &writer)
        #expect(try writer.bytes.withUnsafeBytes { try Postings.decode($0, count: rows.count) } == rows, "seed \(seed)")
        #expect(writer.bytes.count <= rows.count * 5 + 16, "seed \(seed)")
    }

    @Test(arguments: UInt64(1)...20) func `of hostile bytes are refused, or harmless`(seed: UInt64) {
        var random = Seeded(seed)
        for _ in 0..<200 {
            let bytes = (0..<random.below(30)).map { _ in UInt8(truncatingIfNeeded: random.next() & random.next()) }
            let count = random.below(50)
            let rows = bytes.withUnsafeBytes { try? Postings.decode($0, count: count) }
            guard let rows else { continue }
            #expect(rows.count == count && zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 })
        }
    }
}

@Suite struct `Filter pages` {
    @Test(arguments: [1, 500, 65_536, 300_000]) func `never miss and seldom err`(count: Int) {
        var random = Seeded(UInt64(count))
        let keys = Set((0..<count).map { _ in UInt64(1) << 40 | random.next() >> 24 }).sorted()
        var filter = FilterPages(keys: count)
        var pages: [Int64: [UInt8]] = [:]
        for key in keys { if let full = filter.insert(key) { pages[full.page] = full.bits } }
        while let last = filter.next() { pages[last.page] = last.bits }
        func mayContain(_ key: UInt64) -> Bool {
            pages[Int64(FilterPages.page(of: key, count: filter.pageCount))].map { FilterPages.mayContain(key, page: $0) }
                ?? false
        }
        #expect(keys.allSatisfy(mayContain))
        let known = Set(keys)
        let wrong = (0..<40_000).filter { _ in
            let key = UInt64(1) << 40 | random.next() >> 24
            return !known.contains(key) && mayContain(key)
        }.count
        #expect(wrong < 400, "\(wrong) of 40,000")
    }
}

@Suite struct `Radix sort` {
    @Test(arguments: UInt64(1)...20) func `sorts`(seed: UInt64) {
        var random = Seeded(seed)
        let mask = [UInt64.max, 0xFF, 0xFFFF_0000_0000, 0][random.below(4)]
        var words = (0..<random.below(3000)).map { _ in random.next() & mask }
        let expected = words.sorted()
        radixSort(&words)
        #expect(words == expected, "seed \(seed)")
    }
}

@Suite struct `The block cache` {
    private final class Value: Sendable {
        let number: UInt64
        init(_ number: UInt64) { self.number = number }
    }

    @Test func `holds no more than its limit and forgets what was not used`() {
        let cache = BlockCache(limit: 100)
        var made = 0
        func get(_ number: UInt64) -> UInt64 {
            cache.value(.init(file: 1, offset: number)) {
                made += 1
                return (Value(number), cost: 10)
            }.number
        }
        weak var first: Value?
        _ = cache.value(.init(file: 2, offset: 0)) {
            let value = Value(0)
            first = value
            return (value, cost: 10)
        }
        #expect(first != nil)
        for number in UInt64(0)..<30 { #expect(get(number) == number) }
        #expect(first == nil)
        made = 0
        for number in (UInt64(0)..<30).reversed() { _ = get(number) }
        #expect(made >= 20 && made < 30)
        made = 0
        for number in UInt64(100)..<200 { #expect(get(5) == 5); _ = get(number) }
        #expect(made <= 101)
    }
}

@Suite struct `Zstd streams` {
    @Test func `expand to at most the limit`() throws {
        let zeros = [UInt8](repeating: 0, count: 30 << 20)
        let bomb = zeros.withUnsafeBytes { Zstd.compress($0, dictionary: nil) }
        #expect(bomb.count < 4096)
        #expect(throws: SizeLimitExceeded(limit: 1 << 20)) {
            try bomb.withUnsafeBytes { try Zstd.expandStream($0, limit: 1 << 20) }
        }
        #expect(try bomb.withUnsafeBytes { try Zstd.expandStream($0, limit: 30 << 20) }.count == 30 << 20)
        let text = Array("a small text".utf8)
        let small = text.withUnsafeBytes { Zstd.compress($0, dictionary: nil) }
        #expect(try (small + small).withUnsafeBytes { try Zstd.expandStream($0, limit: 100) } == text + text)
        for bad in [[], Array(small.dropLast()), small + [1], [1, 2, 3, 4]] as [[UInt8]] {
            #expect(throws: FormatError.badCompression) { try bad.withUnsafeBytes { try Zstd.expandStream($0, limit: 100) } }
        }
        #expect(throws: FormatError.badCompression) {
            try small.withUnsafeBytes { try Zstd.expand($0, rawCount: text.count - 1, dictionary: nil) }
        }
    }
}

@Suite struct `A file envelope` {
    @Test func `opens only unchanged, with its key, for its purpose`() throws {
        let envelope = try FileEnvelope(magic: "CRNTEST1", key: ServiceKey.sample)
        let nonce = try AES.GCM.Nonce(data: [UInt8](repeating: 7, count: 12))
        let sealed = Array(envelope.seal(Array("text".utf8), nonce: nonce, authenticating: [1, 2]))
        let again = try FileEnvelope(reading: envelope.header + [9, 9], magic: "CRNTEST1", key: ServiceKey.sample)
        #expect(again.header == envelope.header)
        #expect(try again.open(sealed[...], nonce: nonce, authenticating: [1, 2]) == Data("text".utf8))
        #expect(throws: FormatError.notAuthentic) { try again.open(sealed[...], nonce: nonce, authenticating: [1]) }
        #expect(throws: FormatError.truncated) { try again.open(sealed[..<10], nonce: nonce, authenticating: [1, 2]) }
        for offset in envelope.header.indices {
            var changed = envelope.header
            changed[offset] ^= 4
            #expect(throws: FormatError.self, "byte \(offset)") {
                try FileEnvelope(reading: changed, magic: "CRNTEST1", key: ServiceKey.sample)
            }
            #expect(throws: FormatError.truncated) {
                try FileEnvelope(reading: Array(envelope.header[..<offset]), magic: "CRNTEST1", key: ServiceKey.sample)
            }
        }
        for offset in sealed.indices {
            var changed = sealed
            changed[offset] ^= 4
            #expect(throws: FormatError.notAuthentic) { try again.open(changed[...], nonce: nonce, authenticating: [1, 2]) }
        }
        #expect(throws: FormatError.badMagic) {
            try FileEnvelope(reading: envelope.header, magic: "CRNTEST2", key: ServiceKey.sample)
        }
        let other = ServiceKey(id: ServiceKey.sample.id, key: .init(size: .bits256))
        #expect(throws: FormatError.notAuthentic) { try FileEnvelope(reading: envelope.header, magic: "CRNTEST1", key: other) }
    }
}
