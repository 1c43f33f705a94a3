// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Writes JSON into memory that is known to be large enough.
struct JSONWriter {
    private(set) var at: UnsafeMutablePointer<UInt8>
    private let limit: UnsafeMutablePointer<UInt8>

    init(_ target: UnsafeMutableBufferPointer<UInt8>) {
        at = target.baseAddress!
        limit = at + target.count
    }

    mutating func literal(_ text: StaticString) {
        raw(UnsafeRawBufferPointer(text))
    }

    mutating func raw(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= limit - at, "the writer's target is as large as the event can get")
        guard let source = bytes.baseAddress else { return }
        UnsafeMutableRawPointer(at).copyMemory(from: source, byteCount: bytes.count)
        at += bytes.count
    }

    mutating func byte(_ mark: Unicode.Scalar) {
        precondition(at < limit, "the writer's target is as large as the event can get")
        at.pointee = UInt8(ascii: mark)
        at += 1
    }

    /// `text` as a JSON string, with the shortest escapes.
    mutating func string(_ text: Text) {
        byte("\"")
        escaped(text)
        byte("\"")
    }

    /// `text` as the inside of a JSON string.
    mutating func escaped(_ text: Text) {
        var runStart = 0
        for index in 0..<text.count {
            let byte = text[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            raw(text.part(runStart..<index))
            escape(byte)
            runStart = index + 1
        }
        raw(text.part(runStart..<text.count))
    }

    private mutating func escape(_ value: UInt8) {
        switch value {
        case 0x08: literal("\\b")
        case 0x09: literal("\\t")
        case 0x0A: literal("\\n")
        case 0x0C: literal("\\f")
        case 0x0D: literal("\\r")
        case UInt8(ascii: "\""): literal("\\\"")
        case UInt8(ascii: "\\"): literal("\\\\")
        default:
            literal(value < 0x10 ? "\\u000" : "\\u001")
            let digit = value & 15
            byte(Unicode.Scalar(digit < 10 ? digit + 48 : digit + 87))
        }
    }

    /// `"name":"text"` behind a comma, unless there is no text.
    mutating func member(_ name: StaticString, _ text: Text) {
        guard !text.isEmpty else { return }
        key(name)
        string(text)
    }

    /// `,"name":`
    mutating func key(_ name: StaticString) {
        literal(",\"")
        literal(name)
        literal("\":")
    }
}
