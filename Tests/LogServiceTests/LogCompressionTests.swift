// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import TestSupport
import Testing

@Suite struct `A compressed body` {
    static func code(_ body: () throws(LogServiceError) -> [UInt8]) -> String {
        do throws(LogServiceError) {
            _ = try body()
            return "OK"
        } catch {
            return error.status == 400 ? error.code : "status \(error.status)"
        }
    }

    @Test(.enabled(if: WireVectors.sample != nil, Comment(rawValue: SharedFolder.noVectors)))
    func `is read as the SDKs write it`() throws {
        let sample = try #require(WireVectors.sample)
        let raw = WireVectors.bytes(sample.protobufBase64)
        #expect(raw.count == sample.rawSize)
        for (compression, text) in [
            (LogCompression.lz4, sample.lz4BlockBase64), (.lz4, sample.lz4LiteralsOnlyBase64), (.zstd, sample.zstdBase64),
            (.deflate, sample.zlibDeflateBase64), (.none, sample.protobufBase64),
        ] {
            let bytes = WireVectors.bytes(text)
            #expect(try compression.decompress(bytes, rawSize: raw.count) == raw)
            for size in [raw.count - 1, raw.count + 1, 0, 1, LogCompression.maximumRawSize] {
                #expect(
                    Self.code { () throws(LogServiceError) in try compression.decompress(bytes, rawSize: size) }
                        == "PostBodyUncompressError")
            }
        }
    }

    @Test(arguments: LogCompression.allCases, [0, 1, 2, 63, 64 << 10, LogCompression.maximumRawSize])
    func `becomes again what it was`(_ compression: LogCompression, _ size: Int) throws {
        var generator = SeededGenerator(state: UInt64(size))
        let even = [UInt8](repeating: 0x61, count: size)
        let random = (0..<min(size, 1 << 20)).map { _ in UInt8.random(in: 0...255, using: &generator) }
        for body in [even, random] {
            let bytes = compression.compress(body)
            #expect(try compression.decompress(bytes, rawSize: body.count) == body)
        }
    }

    @Test(arguments: [LogCompression.lz4, .zstd, .deflate])
    func `that becomes more than it says is refused`(_ compression: LogCompression) {
        let bomb = compression.compress([UInt8](repeating: 0, count: 64 << 20))
        #expect(bomb.count < 1 << 20)
        for size in [0, 1000, LogCompression.maximumRawSize] {
            #expect(
                Self.code { () throws(LogServiceError) in try compression.decompress(bomb, rawSize: size) }
                    == "PostBodyUncompressError")
        }
        for size in [LogCompression.maximumRawSize + 1, 64 << 20, Int.max, -1] {
            #expect(
                Self.code { () throws(LogServiceError) in try compression.decompress(bomb, rawSize: size) } == "PostBodyTooLarge")
        }
    }

    @Test(arguments: [LogCompression.lz4, .zstd, .deflate], 0..<20)
    func `that is damaged is refused or has the size it says`(_ compression: LogCompression, _ seed: Int) {
        var generator = SeededGenerator(state: UInt64(seed))
        let body = (0..<2000).map { UInt8($0 % 7 * 31) }
        let bytes = compression.compress(body)
        var damaged = (0..<bytes.count).map { Array(bytes[..<$0]) } + [bytes + [0], bytes + bytes, []]
        for _ in 0..<200 {
            var changed = bytes
            changed[Int.random(in: 0..<bytes.count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            damaged.append(changed)
        }
        damaged.append((0..<100).map { _ in UInt8.random(in: 0...255, using: &generator) })
        for bytes in damaged {
            if let raw = try? compression.decompress(bytes, rawSize: body.count) { #expect(raw.count == body.count) }
        }
    }

    @Test func `is named by its header`() throws {
        #expect(try LogCompression(header: nil) == .none && LogCompression(header: "LZ4") == .lz4)
        #expect(try LogCompression(header: "zstd") == .zstd && LogCompression(header: "gzip") == .deflate)
        #expect(throws: LogServiceError.self) { _ = try LogCompression(header: "snappy") }
    }

    @Test func `beyond what may be written is refused without compression, too`() {
        let large = [UInt8](repeating: 0, count: LogCompression.maximumRawSize + 1)
        #expect(
            Self.code { () throws(LogServiceError) in try LogCompression.none.decompress(large, rawSize: large.count) }
                == "PostBodyTooLarge")
    }
}
