// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import KeyManagement
import LogEngine
import Testing
import Trails

/// What is behind the seal of files, decoded without the seal: a seal says who wrote it, not that it is sound.
extension Fuzzing {
    @Suite struct `A file's content` {
        // MARK: Journal

        /// A frame's header (40 bytes), its payload, and identifiers: so many as the header's dictionary says. What a reader
        /// compares before it decodes is made to fit.
        @Test func `as a frame is refused or read as it says`() async throws {
            let plain = Self.frameHeader(records: 3) + PlainJournal.payload(["{}", "", #"{"eventId":"12345678"}"#])
            let made = [plain, Self.codedFrame(PhraseBook.sampleBodies[..<3])]
            try await Fuzzer(name: "frame", kind: .binary, made: made, tries: 4000).run { input in
                var header = Array(input.prefix(40))
                header += [UInt8](repeating: 0, count: 40 - header.count)
                var raw = Array(input.dropFirst(40))
                let identifiers = Array(raw.suffix(Int(header[32]) * 16))
                raw.removeLast(identifiers.count)
                header.replaceSubrange(0..<8, with: Self.frameHeader(records: 1).prefix(8))
                header.replaceSubrange(12..<16, with: withUnsafeBytes(of: UInt32(raw.count).littleEndian) { Array($0) })
                let sound = try unlessRefused(FormatError.self) {
                    try header.withUnsafeBytes { try FrameHeader(decoding: $0) }
                }
                guard let sound else { return "header" }
                try demand(sound.encoded == header, "a header is not written as it was read")
                let decoded = try unlessRefused(FormatError.self) {
                    try DecodedFrame(header: sound, raw: raw, identifiers: identifiers, dictionary: .fuzz)
                }
                guard let frame = decoded else { return "payload" }
                var copy = FramePayload(account: frame.account, dictionary: .fuzz)
                let records = (0..<frame.count).map { frame.record($0) }
                let flags = records.reduce(0 as UInt8) { $0 | $1.flags.rawValue }
                for (index, record) in records.enumerated() {
                    try demand(record.sequence == frame.firstSequence + UInt64(index), "records are in order")
                    try demand(record.count == record.bytes.count, "a record has one size")
                    record.withBytes { copy.append($0, flags: record.flags, receivedDigest: record.receivedDigest) }
                }
                let again = try copy.prepared().decoded(with: .fuzz)
                try demand(again.map(\.bytes) == records.map(\.bytes), "records change from frame to frame")
                try demand(again.map(\.flags) == records.map(\.flags), "flags change from frame to frame")
                try demand(
                    again.map { $0.receivedDigest?.0 } == records.map { $0.receivedDigest?.0 }
                        && again.map { $0.receivedDigest?.1 } == records.map { $0.receivedDigest?.1 },
                    "digests change from frame to frame")
                try demand(again.allSatisfy { $0.account == frame.account }, "the account changes from frame to frame")
                return "\(min(frame.count, 6)) \(flags) \(identifiers.count / 16)"
            }
        }

        /// Bodies as the book writes them.
        private static func codedFrame(_ bodies: ArraySlice<[UInt8]>) -> [UInt8] {
            let writer = PhraseWriter(book: .fuzz)
            let coded = bodies.compactMap { CodedRecord($0, writer) }
            var table = ByteWriter()
            table.put("anna")
            for record in coded {
                table.putVarint(record.bytes.count)
                table.put(UInt8(4))
                table.put(UInt8(record.identifiers.count / 16))
            }
            let identifiers = coded.flatMap(\.identifiers)
            let header = frameHeader(records: UInt32(coded.count), identifiers: UInt32(identifiers.count / 16))
            return header + table.bytes + coded.flatMap(\.bytes) + identifiers
        }

        private static func frameHeader(records: UInt32, identifiers: UInt32 = 0) -> [UInt8] {
            var header = ByteWriter()
            header.put(UInt32(0x314D_5246))
            header.put(UInt32(100))
            header.put(records)
            header.put(UInt32(0))
            header.put(UInt64(5))
            header.put(Int64(1_767_225_600_000))
            header.put(identifiers)
            header.put(UInt32(0x8000_0000))
            return header.bytes
        }

        // MARK: Segments

        /// A count (2 bytes), then a list.
        @Test func `as a list of rows is refused or has as many rows as it says`() async throws {
            var list = ByteWriter()
            Postings.encode([3, 4, 9, 200, 70_000] as [UInt32], into: &list)
            var bitmap = ByteWriter()
            Postings.encode((10..<60).map { UInt32($0) }, into: &bitmap)
            let made: [[UInt8]] = [[5, 0] + list.bytes, [50, 0] + bitmap.bytes]
            try await Fuzzer(name: "postings", kind: .binary, made: made, tries: 6000).run { input in
                let count = input.prefix(2).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
                let bytes = Array(input.dropFirst(2))
                // What can be written is read back.
                var row = UInt32(count)
                let rising = bytes.prefix(500).map { byte -> UInt32 in
                    row += 1 + (byte > 250 ? UInt32(byte) * 1000 : byte > 100 ? UInt32(byte) : 0)
                    return row
                }
                if !rising.isEmpty {
                    var written = ByteWriter()
                    Postings.encode(rising, into: &written)
                    let read = try written.bytes.withUnsafeBytes { try Postings.decode($0, count: rising.count) }
                    try demand(read == rising, "a list is not read as it was written")
                }
                let rows = try unlessRefused(FormatError.self) {
                    try bytes.withUnsafeBytes { try Postings.decode($0, count: count) }
                }
                guard let rows else { return "refused" }
                try demand(rows.count == count, "a list has another number of rows")
                try demand(zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 }, "a list does not rise")
                var written = ByteWriter()
                Postings.encode(rows, into: &written)
                let again = try written.bytes.withUnsafeBytes { try Postings.decode($0, count: count) }
                try demand(again == rows, "a list is not read as it was written")
                return "\(bytes[0]) \(min(count, 12))"
            }
        }

        @Test func `as a segment's footer is refused or written as it was read`() async throws {
            let footer = PlainSegment.made(rows: 5).footer(sealedLengths: [90, 80, 70, 60, 50, 40])
            try await Fuzzer(name: "segment-footer", kind: .binary, made: [footer], tries: 6000).run { input in
                func decode(_ bytes: [UInt8]) throws -> SegmentFooter {
                    try bytes.withUnsafeBytes { try SegmentFooter(decoding: $0, firstOffset: 107) }
                }
                guard let footer = try unlessRefused(FormatError.self, { try decode(input) }) else { return "refused" }
                let encoded = footer.encoded
                try demand(try decode(encoded).encoded == encoded, "a footer is not written as it was read")
                return "taken \(min(encoded.count / 8, 30))"
            }
        }

        // MARK: Envelopes and compression

        @Test func `is nobody's without the key`() async throws {
            let envelope = try FileEnvelope(magic: "CRNFUZZ1", key: ServiceKey.fuzz)
            let plain = Array("what is sealed".utf8)
            let whole: [UInt8] = envelope.header + envelope.seal(plain, nonce: FileEnvelope.onlyNonce, authenticating: [1])
            let secret = try ServiceKey.fuzz.seal(plain, context: Data([1]))
            try await Fuzzer(name: "envelope", kind: .binary, made: [whole, secret], tries: 4000).run { input in
                let unsealed = try unlessRefused(KeyError.self) { try ServiceKey.fuzz.unseal(input, context: Data([1])) }
                if let unsealed { try demand([UInt8](unsealed) == plain, "a secret was forged") }
                let read = try unlessRefused(FormatError.self) {
                    try FileEnvelope(reading: input, magic: "CRNFUZZ1", key: ServiceKey.fuzz)
                }
                guard let read else { return "header \(unsealed != nil)" }
                try demand(input.starts(with: read.header), "a header is a file's front")
                let opened = try unlessRefused(FormatError.self) {
                    try read.open(input[read.header.count...], nonce: FileEnvelope.onlyNonce, authenticating: [1])
                }
                if let opened { try demand([UInt8](opened) == plain, "a file was forged") }
                return "content \(opened != nil)"
            }
        }

        @Test func `as zstd is refused or expands within its bound`() async throws {
            let text = Array(String(repeating: #"{"eventName":"DescribeInstances"}"#, count: 20).utf8)
            let short = Array("abc".utf8).withUnsafeBytes { Zstd.compress($0, dictionary: nil) }
            let long = text.withUnsafeBytes { Zstd.compress($0, dictionary: nil) }
            let bomb = [UInt8](repeating: 0, count: 3 << 20).withUnsafeBytes { Zstd.compress($0, dictionary: nil) }
            try await Fuzzer(name: "zstd", kind: .binary, made: [short, long, bomb, short + long], tries: 2000).run { input in
                let limit = 1 << 20
                var outcome: String
                var streamed: [UInt8]?
                do {
                    let raw = try input.withUnsafeBytes { try Zstd.expandStream($0, limit: limit) }
                    try demand(raw.count <= limit, "more came out than was allowed")
                    let again = raw.withUnsafeBytes { Zstd.compress($0, dictionary: nil) }
                    let same = try again.withUnsafeBytes { try Zstd.expand($0, rawCount: raw.count, dictionary: nil) }
                    try demand(same == raw, "what was compressed is not what comes out")
                    streamed = raw
                    outcome = "taken \(min(raw.count, 8))"
                } catch is SizeLimitExceeded { outcome = "too large" } catch let error as FormatError { outcome = "\(error)" }
                for count in [streamed?.count ?? 3, 0, 1000] {
                    let raw = try unlessRefused(FormatError.self) {
                        try input.withUnsafeBytes { try Zstd.expand($0, rawCount: count, dictionary: nil) }
                    }
                    guard let raw else { continue }
                    try demand(raw.count == count, "another number of bytes came out")
                    if let streamed { try demand(raw == streamed, "a stream expands to something else") }
                    outcome += " \(count > 0)"
                }
                return outcome
            }
        }

        @Test func `as gzip is refused or expands within its bound`() async throws {
            let text = Array(String(repeating: "audit ", count: 300).utf8)
            let made = [
                Gzip.compress([]), Gzip.compress(text), Gzip.compress([1]) + Gzip.compress([2]),
                Gzip.compress([UInt8](repeating: 0, count: 3 << 20)),
            ]
            try await Fuzzer(name: "gzip", kind: .binary, made: made, tries: 2000).run { input in
                let limit = 1 << 20
                do {
                    let raw = try input.withUnsafeBytes { try Gzip.expand($0, limit: limit) }
                    try demand(raw.count <= limit, "more came out than was allowed")
                    let same = try Gzip.compress(raw).withUnsafeBytes { try Gzip.expand($0, limit: limit) }
                    try demand(same == raw, "what was compressed is not what comes out")
                    return "taken \(min(raw.count, 8))"
                } catch let error as GzipError { return "\(error)" }
            }
        }

        @Test func `as an array falls into its elements`() async throws {
            try await Fuzzer(name: "array-splitter", kind: .json, tries: 6000).run { input in
                var parts: [[UInt8]] = []
                let isArray = input.withUnsafeBytes { bytes in
                    JSONArraySplitter.split(bytes) { part in parts.append([UInt8](part)) }
                }
                try demand(parts.reduce(0) { $0 + $1.count + 1 } <= input.count + 1, "elements lie side by side")
                // Delivered arrays have no white space between elements.
                guard case .array(let elements)? = ReferenceJSON.read(input, maximumDepth: 128), input.first == UInt8(ascii: "["),
                    input.last == UInt8(ascii: "]"), input != Array("[]".utf8), !elements.isEmpty
                else { return "\(isArray) \(min(parts.count, 4))" }
                try demand(isArray, "an array was not taken for one")
                try demand(
                    parts.map { ReferenceJSON.read($0, maximumDepth: 128) } == elements.map { Optional($0) },
                    "an array has other elements")
                return "array \(min(parts.count, 6))"
            }
        }
    }
}
