// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CZstd
import Synchronization

/// Compresses and expands with zstd, with or without a dictionary.
public enum Zstd {
    static let level: Int32 = 3

    /// Contexts are a megabyte each: kept, and handed out to one user at a time.
    private final class Pool: Sendable {
        private let idle = Mutex<[UInt]>([])
        private let make: @Sendable () -> OpaquePointer

        init(make: @escaping @Sendable () -> OpaquePointer) { self.make = make }

        func with<Result>(_ body: (OpaquePointer) throws -> Result) rethrows -> Result {
            let kept = idle.withLock { $0.popLast() }
            let context = kept.flatMap { OpaquePointer(bitPattern: $0) } ?? make()
            defer { idle.withLock { $0.append(UInt(bitPattern: context)) } }
            return try body(context)
        }
    }

    /// `ZSTD_dictForceAttach` of `ZSTD_c_forceAttachDict`.
    private static let attach: Int32 = 1

    private static let compressors = Pool { ZSTD_createCCtx() }
    private static let expanders = Pool { ZSTD_createDCtx() }

    public static func compress(_ raw: UnsafeRawBufferPointer, dictionary: FrameDictionary?) -> [UInt8] {
        let bound = ZSTD_compressBound(raw.count)
        return [UInt8](unsafeUninitializedCapacity: bound) { target, count in
            count = compressors.with { context in
                // A context remembers what it was given last.
                ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters)
                if let dictionary {
                    // The tables of a dictionary are megabytes: searched where they are, not copied for each frame.
                    ZSTD_CCtx_setParameter(context, ZSTD_c_experimentalParam4, Self.attach)
                    ZSTD_CCtx_refCDict(context, dictionary.compressor)
                } else {
                    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Self.level)
                }
                return ZSTD_compress2(context, target.baseAddress, bound, raw.baseAddress, raw.count)
            }
            precondition(ZSTD_isError(count) == 0, "zstd has room for any input of this size")
        }
    }

    /// Expands the first compressed content, and gives back what stands behind it.
    static func expandWithRest(
        _ bytes: UnsafeRawBufferPointer, rawCount: Int, dictionary: FrameDictionary?
    ) throws(FormatError) -> (raw: [UInt8], rest: [UInt8]) {
        let size = ZSTD_findFrameCompressedSize(bytes.baseAddress, bytes.count)
        guard ZSTD_isError(size) == 0, size <= bytes.count else { throw .badCompression }
        let raw = try expand(UnsafeRawBufferPointer(rebasing: bytes[..<size]), rawCount: rawCount, dictionary: dictionary)
        return (raw, Array(bytes[size...]))
    }

    /// - Parameter rawCount: the exact size that must come out.
    public static func expand(
        _ compressed: UnsafeRawBufferPointer, rawCount: Int, dictionary: FrameDictionary?
    ) throws(FormatError) -> [UInt8] {
        var good = false
        let raw = [UInt8](unsafeUninitializedCapacity: rawCount) { target, count in
            count = expanders.with { context in
                if let dictionary {
                    ZSTD_decompress_usingDDict(
                        context, target.baseAddress, rawCount, compressed.baseAddress, compressed.count,
                        dictionary.expander)
                } else {
                    ZSTD_decompressDCtx(
                        context, target.baseAddress, rawCount, compressed.baseAddress, compressed.count)
                }
            }
            good = ZSTD_isError(count) == 0 && count == rawCount
            if !good { count = 0 }
        }
        guard good else { throw .badCompression }
        return raw
    }

    /// Expands a stream of unknown size, as a producer sent it, to at most `limit` bytes.
    ///
    /// - Throws: `.badCompression` for a malformed stream, ``SizeLimitExceeded`` past the limit.
    public static func expandStream(_ compressed: UnsafeRawBufferPointer, limit: Int) throws -> [UInt8] {
        let stream = ZSTD_createDStream()
        defer { ZSTD_freeDStream(stream) }
        // A hostile frame may ask for a huge window; 8 MiB is what `zstd -19` uses.
        ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, 23)
        var input = ZSTD_inBuffer(src: compressed.baseAddress, size: compressed.count, pos: 0)
        var raw: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 128 << 10)
        var hint = 1
        while input.pos < input.size || hint != 0 {
            let before = input.pos
            var produced = 0
            chunk.withUnsafeMutableBytes { buffer in
                var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
                hint = ZSTD_decompressStream(stream, &output, &input)
                produced = output.pos
            }
            guard ZSTD_isError(hint) == 0 else { throw FormatError.badCompression }
            guard raw.count + produced <= limit else { throw SizeLimitExceeded(limit: limit) }
            raw += chunk[..<produced]
            guard input.pos > before || produced > 0 else { throw FormatError.badCompression }
        }
        return raw
    }
}

/// Expanding stopped because more came out than was allowed.
public struct SizeLimitExceeded: Error, Equatable {
    public var limit: Int
    public init(limit: Int) { self.limit = limit }
}
