// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CDeflate

/// Gzip members in memory. With libdeflate, which takes a third of zlib's time for whole contents like these.
public enum Gzip {
    /// The most that deflate can expand a byte to.
    private static let highestRatio = 1032
    private static let trailerSize = 8

    /// The same input gives the same bytes with the same library: no name, no time in the header.
    public static func compress(_ raw: [UInt8], level: Int32 = 6) -> [UInt8] {
        guard let compressor = libdeflate_alloc_compressor(level) else { preconditionFailure("memory for a compressor") }
        defer { libdeflate_free_compressor(compressor) }
        let bound = libdeflate_gzip_compress_bound(compressor, raw.count)
        return [UInt8](unsafeUninitializedCapacity: bound) { target, count in
            count = raw.withUnsafeBytes { source in
                libdeflate_gzip_compress(compressor, source.baseAddress, source.count, target.baseAddress, bound)
            }
            precondition(count > 0, "the output holds what the bound promised")
        }
    }

    /// Expands one or several members, to at most `limit` bytes.
    ///
    /// - Throws: ``GzipError``.
    public static func expand(_ compressed: UnsafeRawBufferPointer, limit: Int) throws(GzipError) -> [UInt8] {
        guard let decompressor = libdeflate_alloc_decompressor() else { throw .malformed }
        defer { libdeflate_free_decompressor(decompressor) }
        var raw: [UInt8] = []
        var rest = compressed
        repeat {
            let (member, used) = try expandMember(
                rest, decompressor, isOnly: rest.count == compressed.count, limit: limit - raw.count
            ) {
                GzipError.tooLarge(limit: limit)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[used...])
            if raw.isEmpty { raw = member } else { raw += member }
        } while !rest.isEmpty
        return raw
    }

    private static func expandMember(
        _ compressed: UnsafeRawBufferPointer, _ decompressor: OpaquePointer, isOnly: Bool, limit: Int, tooLarge: () -> GzipError
    ) throws(GzipError) -> (member: [UInt8], used: Int) {
        guard compressed.count > trailerSize else { throw .malformed }
        // The last four bytes say how much comes out, if this is the only member and nobody lies.
        let said = Int(UInt32(littleEndian: compressed.loadUnaligned(fromByteOffset: compressed.count - 4, as: UInt32.self)))
        var capacity = min(isOnly ? max(said, 1 << 10) : 64 << 10, compressed.count * highestRatio, max(limit, 1))
        while true {
            var used = 0
            var status = LIBDEFLATE_BAD_DATA
            let member = [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
                var produced = 0
                status = libdeflate_gzip_decompress_ex(
                    decompressor, compressed.baseAddress, compressed.count, target.baseAddress, capacity, &used, &produced)
                count = status == LIBDEFLATE_SUCCESS ? produced : 0
            }
            switch status {
            case LIBDEFLATE_SUCCESS:
                guard member.count <= limit else { throw tooLarge() }
                return (member, used)
            case LIBDEFLATE_INSUFFICIENT_SPACE:
                guard capacity < limit else { throw tooLarge() }
                capacity = min(capacity * 4, limit)
            default: throw .malformed
            }
        }
    }
}

public enum GzipError: Error, Equatable {
    case malformed
    case tooLarge(limit: Int)
}
