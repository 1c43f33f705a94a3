// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Reads protocol buffers where they lie in memory; source: protobuf.dev/programming-guides/encoding.
struct ProtobufReader {
    enum WireType: UInt8 {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case fixed32 = 5
    }

    private let message: UnsafeRawBufferPointer
    private var at = 0

    init(_ message: UnsafeRawBufferPointer) { self.message = message }

    /// The next field, nil at the end of the message.
    mutating func field() throws(LogServiceError) -> (number: UInt64, type: WireType)? {
        guard at < message.count else { return nil }
        let tag = try varint()
        // Types 3 and 4 are groups, which no message here ever had.
        guard let type = WireType(rawValue: UInt8(tag & 7)), tag >> 3 > 0, tag >> 3 < 1 << 29 else {
            throw .undecodable("a field has an unknown wire type or number")
        }
        return (tag >> 3, type)
    }

    mutating func varint() throws(LogServiceError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while at < message.count {
            let byte = message[at]
            at += 1
            // The tenth byte has the one bit that is left.
            guard shift < 63 || byte <= 1 else { throw .undecodable("a number is longer than 64 bits") }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .undecodable("the message ends inside a number")
    }

    mutating func fixed32() throws(LogServiceError) -> UInt32 {
        let bytes = try take(4)
        return UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
    }

    mutating func bytes() throws(LogServiceError) -> UnsafeRawBufferPointer {
        let count = try varint()
        guard count <= UInt64(message.count - at) else { throw .undecodable("a field is longer than its message") }
        return try take(Int(count))
    }

    mutating func skip(_ type: WireType) throws(LogServiceError) {
        switch type {
        case .varint: _ = try varint()
        case .fixed64: _ = try take(8)
        case .bytes: _ = try bytes()
        case .fixed32: _ = try take(4)
        }
    }

    private mutating func take(_ count: Int) throws(LogServiceError) -> UnsafeRawBufferPointer {
        guard count <= message.count - at else { throw .undecodable("the message ends inside a field") }
        defer { at += count }
        return UnsafeRawBufferPointer(rebasing: message[at..<at + count])
    }
}

extension LogServiceError {
    static func undecodable(_ why: String) -> LogServiceError {
        LogServiceError(400, "PostBodyInvalid", "The body is not a valid LogGroup: \(why).")
    }
}
