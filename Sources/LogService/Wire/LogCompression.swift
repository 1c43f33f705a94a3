// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CLZ4
import CZlib
import CZstd

/// How a body is compressed; source: sls.md section 6.
public enum LogCompression: String, Sendable, CaseIterable {
    case none = ""
    /// One raw block, without frame or size.
    case lz4
    case zstd
    /// A zlib stream (RFC 1950) when written; bare deflate (RFC 1951) and gzip are read as well.
    case deflate

    /// Raw bytes of the largest body that may be written.
    public static let maximumRawSize = 10 << 20

    /// - Parameter name: the header `x-log-compresstype`; nil if there is none.
    /// - Throws: `InvalidCompressType`.
    public init(header name: String?) throws(LogServiceError) {
        switch name?.lowercased() {
        case nil, "": self = .none
        case "lz4": self = .lz4
        case "zstd": self = .zstd
        case "deflate", "gzip": self = .deflate
        case let name?: throw LogServiceError(400, "InvalidCompressType", "compress type \(name.prefix(64)) is not supported")
        }
    }

    /// The body as it was, which must have exactly `rawSize` bytes; memory of that size and no more is taken.
    ///
    /// - Throws: `PostBodyTooLarge` beyond ``maximumRawSize``, `PostBodyUncompressError` otherwise.
    public func decompress(_ bytes: [UInt8], rawSize: Int) throws(LogServiceError) -> [UInt8] {
        guard (0...Self.maximumRawSize).contains(rawSize), self != .none || bytes.count <= Self.maximumRawSize else {
            throw LogServiceError(400, "PostBodyTooLarge", "body size exceeds \(Self.maximumRawSize) bytes")
        }
        let raw: [UInt8]?
        switch self {
        case .none: raw = bytes
        case .lz4: raw = Self.fill(rawSize) { target in Self.expandLZ4(bytes, into: target) }
        case .zstd: raw = Self.fill(rawSize) { target in Self.expandZstd(bytes, into: target) }
        case .deflate:
            // 32 beyond the window's bits: zlib or gzip, whichever the first bytes tell; below zero: bare deflate.
            raw =
                Self.fill(rawSize) { target in Self.inflate(bytes, windowBits: 15 + 32, into: target) }
                ?? Self.fill(rawSize) { target in Self.inflate(bytes, windowBits: -15, into: target) }
        }
        guard let raw, raw.count == rawSize else {
            throw LogServiceError(
                400, "PostBodyUncompressError", "the body is not \(rawSize) bytes, as x-log-bodyrawsize says, once uncompressed")
        }
        return raw
    }

    /// - Parameter body: of at most 1 GiB, which all of the formats can hold.
    public func compress(_ body: [UInt8]) -> [UInt8] {
        precondition(body.count <= 1 << 30, "an answer larger than 1 GiB is not compressed")
        switch self {
        case .none: return body
        case .lz4:
            return Self.write(upTo: Int(LZ4_compressBound(Int32(body.count))), body) { target, source in
                Int(LZ4_compress_default(source.baseAddress, target.baseAddress, Int32(source.count), Int32(target.count)))
            }
        case .zstd:
            return Self.write(upTo: ZSTD_compressBound(body.count), body) { target, source in
                let written = ZSTD_compress(target.baseAddress, target.count, source.baseAddress, source.count, 1)
                return ZSTD_isError(written) == 0 ? written : 0
            }
        case .deflate:
            return Self.write(upTo: Int(compressBound(uLong(body.count))), body) { target, source in
                var count = uLongf(target.count)
                let status = compress2(
                    UnsafeMutableRawPointer(target.baseAddress)?.assumingMemoryBound(to: UInt8.self), &count,
                    UnsafeRawPointer(source.baseAddress)?.assumingMemoryBound(to: UInt8.self), uLong(source.count), Z_BEST_SPEED)
                return status == Z_OK ? Int(count) : 0
            }
        }
    }
}

extension LogCompression {
    /// Nil unless `expand` filled all of it.
    private static func fill(_ size: Int, _ expand: (UnsafeMutableBufferPointer<CChar>) -> Int?) -> [UInt8]? {
        var isWhole = false
        // One byte more, so that there is an address even for nothing.
        let bytes = [UInt8](unsafeUninitializedCapacity: size + 1) { memory, count in
            memory.withMemoryRebound(to: CChar.self) { memory in
                isWhole = expand(UnsafeMutableBufferPointer(rebasing: memory[..<size])) == size
            }
            count = isWhole ? size : 0
        }
        return isWhole ? bytes : nil
    }

    private static func expandLZ4(_ bytes: [UInt8], into target: UnsafeMutableBufferPointer<CChar>) -> Int? {
        guard let size = Int32(exactly: bytes.count) else { return nil }
        return bytes.withUnsafeBytes { source in
            let source = source.assumingMemoryBound(to: CChar.self)
            return Int(LZ4_decompress_safe(source.baseAddress, target.baseAddress, size, Int32(target.count)))
        }
    }

    private static func expandZstd(_ bytes: [UInt8], into target: UnsafeMutableBufferPointer<CChar>) -> Int? {
        bytes.withUnsafeBytes { source in
            let written = ZSTD_decompress(target.baseAddress, target.count, source.baseAddress, source.count)
            return ZSTD_isError(written) == 0 ? written : nil
        }
    }

    private static func inflate(_ bytes: [UInt8], windowBits: Int32, into target: UnsafeMutableBufferPointer<CChar>) -> Int? {
        guard let size = UInt32(exactly: bytes.count), let room = UInt32(exactly: target.count) else { return nil }
        var stream = z_stream()
        guard inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        return bytes.withUnsafeBytes { source in
            stream.next_in = UnsafeMutablePointer(mutating: source.assumingMemoryBound(to: UInt8.self).baseAddress)
            stream.avail_in = size
            return target.withMemoryRebound(to: UInt8.self) { target in
                stream.next_out = target.baseAddress
                stream.avail_out = room
                // Bytes behind the stream belong to nothing and are refused.
                guard CZlib.inflate(&stream, Z_FINISH) == Z_STREAM_END, stream.avail_in == 0 else { return nil }
                return Int(stream.total_out)
            }
        }
    }

    private static func write(
        upTo bound: Int, _ body: [UInt8],
        _ compress: (UnsafeMutableBufferPointer<CChar>, UnsafeBufferPointer<CChar>) -> Int
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: bound) { memory, count in
            memory.withMemoryRebound(to: CChar.self) { target in
                body.withUnsafeBytes { source in
                    count = compress(target, source.assumingMemoryBound(to: CChar.self))
                }
            }
            precondition(count > 0, "a bound of the library's own is always enough")
        }
    }
}
