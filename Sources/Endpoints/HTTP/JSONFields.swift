// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A JSON object being written, members in the order they are added.
///
/// Answers carry events as the bytes they are, which no general encoder can do.
struct JSONFields: Sendable {
    private(set) var bytes: [UInt8] = [UInt8(ascii: "{")]

    init() {}

    /// The whole object; the writer is done.
    var finished: [UInt8] { bytes + [UInt8(ascii: "}")] }

    mutating func add(raw: some Collection<UInt8>, _ name: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        Self.append(text: name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(contentsOf: raw)
    }

    /// A nil value is left out.
    mutating func add(_ value: String?, _ name: String) {
        guard let value else { return }
        var text: [UInt8] = []
        Self.append(text: value, to: &text)
        add(raw: text, name)
    }

    mutating func add(_ value: Bool, _ name: String) { add(raw: (value ? "true" : "false").utf8, name) }

    mutating func add(_ value: some BinaryInteger, _ name: String) { add(raw: String(value).utf8, name) }

    mutating func add(_ value: JSONFields, _ name: String) { add(raw: value.finished, name) }

    mutating func add(_ values: [JSONFields], _ name: String) { add(raw: Self.array(values.map(\.finished)), name) }

    mutating func add(texts values: [String], _ name: String) {
        let texts = values.map { value in
            var bytes: [UInt8] = []
            Self.append(text: value, to: &bytes)
            return bytes
        }
        add(raw: Self.array(texts), name)
    }

    static func array(_ elements: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(elements.reduce(2) { $0 + $1.count + 1 })
        bytes.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += element
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    static func append(text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { text in
            // What needs no escape is copied in runs.
            var runStart = 0
            for (place, byte) in text.enumerated() where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                bytes.append(contentsOf: text[runStart..<place])
                append(escaped: byte, to: &bytes)
                runStart = place + 1
            }
            bytes.append(contentsOf: text[runStart...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func append(escaped byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
        case 0x0A: bytes += "\\n".utf8
        case 0x0D: bytes += "\\r".utf8
        case 0x09: bytes += "\\t".utf8
        default:
            let digits = Array("0123456789abcdef".utf8)
            bytes += "\\u00".utf8
            bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
}

/// A point in time as the API writes it: `yyyy-MM-ddTHH:mm:ssZ`.
func wireTime(_ date: Date) -> String { date.ISO8601Format() }
