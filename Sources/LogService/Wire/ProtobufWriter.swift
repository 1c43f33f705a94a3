// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Writes protocol buffers; the length of a message has to be known before the message is written.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    init(reserving count: Int) { bytes.reserveCapacity(count) }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// - Parameter number: of the field, below 16, so that its tag takes one byte.
    mutating func tag(_ number: UInt8, _ type: ProtobufReader.WireType) { bytes.append(number << 3 | type.rawValue) }

    mutating func fixed32(_ value: UInt32) { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }

    mutating func text(_ number: UInt8, _ text: String) {
        tag(number, .bytes)
        varint(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func messageHead(_ number: UInt8, count: Int) {
        tag(number, .bytes)
        varint(UInt64(count))
    }

    static func size(ofVarint value: UInt64) -> Int { (70 - (value | 1).leadingZeroBitCount) / 7 }

    /// Of a field whose tag takes one byte.
    static func size(ofBytes count: Int) -> Int { 1 + size(ofVarint: UInt64(count)) + count }

    static func size(of text: String) -> Int { size(ofBytes: text.utf8.count) }
}
