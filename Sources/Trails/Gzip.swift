// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CZlib

/// Gzip members in memory.
public enum Gzip {
    /// The same input gives the same bytes with the same zlib: no name, no time in the header.
    public static func compress(_ raw: [UInt8], level: Int32 = 6) -> [UInt8] {
        var stream = z_stream()
        let version = deflateInit2_(
            &stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(version == Z_OK, "zlib has memory for one stream")
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, UInt(raw.count)))
        var input = raw
        return [UInt8](unsafeUninitializedCapacity: bound) { target, count in
            input.withUnsafeMutableBufferPointer { source in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(bound)
                let status = deflate(&stream, Z_FINISH)
                precondition(status == Z_STREAM_END, "the output holds what deflateBound promised")
            }
            count = bound - Int(stream.avail_out)
        }
    }

    /// Expands one or several members, to at most `limit` bytes.
    ///
    /// - Throws: ``GzipError``.
    public static func expand(_ compressed: UnsafeRawBufferPointer, limit: Int) throws(GzipError) -> [UInt8] {
        var stream = z_stream()
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .malformed
        }
        defer { inflateEnd(&stream) }
        var raw: [UInt8] = []
        raw.reserveCapacity(min(limit, compressed.count * 8))
        let chunkSize = 128 << 10
        var chunk = [UInt8](repeating: 0, count: chunkSize)
        stream.next_in = UnsafeMutablePointer(mutating: compressed.bindMemory(to: UInt8.self).baseAddress)
        stream.avail_in = UInt32(compressed.count)
        while true {
            var status = Z_OK
            let produced = chunk.withUnsafeMutableBufferPointer { target in
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(chunkSize)
                status = inflate(&stream, Z_NO_FLUSH)
                return chunkSize - Int(stream.avail_out)
            }
            guard raw.count + produced <= limit else { throw .tooLarge(limit: limit) }
            raw += chunk[..<produced]
            switch status {
            case Z_STREAM_END:
                if stream.avail_in == 0 { return raw }
                guard inflateReset(&stream) == Z_OK else { throw .malformed }
            case Z_OK: continue
            default: throw .malformed
            }
        }
    }
}

public enum GzipError: Error, Equatable {
    case malformed
    case tooLarge(limit: Int)
}
