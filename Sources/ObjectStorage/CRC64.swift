// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// CRC-64/XZ (ECMA-182, reflected), as OSS sends it in `x-oss-hash-crc64ecma`.
///
/// Eight tables: eight bytes a step.
public struct CRC64: Sendable {
    static let polynomial: UInt64 = 0xC96C_5795_D787_0F42

    private static let tables: [UInt64] = {
        var tables = [UInt64](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var value = UInt64(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
            tables[byte] = value
        }
        for table in 1..<8 {
            for byte in 0..<256 {
                let previous = tables[(table - 1) * 256 + byte]
                tables[table * 256 + byte] = tables[Int(previous & 0xFF)] ^ previous >> 8
            }
        }
        return tables
    }()

    private var state = UInt64.max

    public init() {}

    public var value: UInt64 { ~state }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var crc = state
        Self.tables.withUnsafeBufferPointer { tables in
            var offset = 0
            while offset + 8 <= bytes.count {
                crc ^= UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                var next: UInt64 = 0
                for index in 0..<8 {
                    next ^= tables[(7 - index) * 256 + Int((crc >> UInt64(index * 8)) & 0xFF)]
                }
                crc = next
                offset += 8
            }
            while offset < bytes.count {
                crc = tables[Int((crc ^ UInt64(bytes[offset])) & 0xFF)] ^ crc >> 8
                offset += 1
            }
        }
        state = crc
    }
}
