// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles

/// Appends fixed and variable-length integers; everything is little-endian.
package struct ByteWriter {
    package var bytes: [UInt8]

    package init(bytes: [UInt8] = []) { self.bytes = bytes }

    package mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// LEB128: seven bits a byte, low bits first.
    package mutating func putVarint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    package mutating func putVarint(_ value: Int) { putVarint(UInt64(value)) }

    /// Signed values with small magnitude become small.
    package mutating func putZigzag(_ value: Int64) { putVarint(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

    package mutating func put(_ text: String) {
        putVarint(text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }
}

/// Reads what ``ByteWriter`` wrote; every read is checked against the end.
package struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    package private(set) var offset: Int

    package init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    package var isAtEnd: Bool { offset >= bytes.count }
    package var remaining: Int { bytes.count - offset }

    package mutating func get<Value: FixedWidthInteger>(_ type: Value.Type) throws(FormatError) -> Value {
        let size = MemoryLayout<Value>.size
        guard remaining >= size else { throw .truncated }
        defer { offset += size }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    @inline(__always)
    package mutating func getVarint() throws(FormatError) -> UInt64 {
        // Most have one byte.
        if offset < bytes.count, bytes[offset] < 0x80 {
            offset += 1
            return UInt64(bytes[offset - 1])
        }
        return try getLongVarint()
    }

    private mutating func getLongVarint() throws(FormatError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard offset < bytes.count, shift < 64 else { throw .truncated }
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    package mutating func getCount() throws(FormatError) -> Int {
        let value = try getVarint()
        guard value <= UInt64(Int32.max) else { throw .truncated }
        return Int(value)
    }

    package mutating func getZigzag() throws(FormatError) -> Int64 {
        let value = try getVarint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    package mutating func take(_ count: Int) throws(FormatError) -> UnsafeRawBufferPointer {
        guard count >= 0, remaining >= count else { throw .truncated }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    package mutating func getText() throws(FormatError) -> String {
        String(decoding: try take(try getCount()), as: UTF8.self)
    }
}

extension ReadableFile {
    /// As `read(count:at:)`, where fewer bytes than expected mean that the file is damaged.
    func readExpected(count: Int, at offset: UInt64) throws -> [UInt8] {
        do { return try read(count: count, at: offset) } catch let error as DiskError where error.code == .truncated {
            throw FormatError.truncated
        }
    }
}

/// Stored bytes that are not what they should be.
public enum FormatError: Error, Equatable {
    case truncated
    case badMagic
    case badChecksum
    case unknownVersion
    /// AES-GCM refused: changed bytes, or another key.
    case notAuthentic
    case badCompression
}

/// Damage found in a stored file, with the place; the rest of the store stays readable.
public struct StoreDamage: Error, Equatable, CustomStringConvertible {
    public var path: String
    public var offset: UInt64
    public var reason: FormatError

    public init(path: String, offset: UInt64, reason: FormatError) {
        self.path = path
        self.offset = offset
        self.reason = reason
    }

    public var description: String { "damaged: \(reason) in `\(path)` at byte \(offset)" }
}
