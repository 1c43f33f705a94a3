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
        var bytes = [UInt8(ascii: "[")]
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += element
        }
        return bytes + [UInt8(ascii: "]")]
    }

    static func append(text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A: bytes += "\\n".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0x09: bytes += "\\t".utf8
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes += "\\u00".utf8
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// A point in time as the API writes it: `yyyy-MM-ddTHH:mm:ssZ`.
func wireTime(_ date: Date) -> String { date.ISO8601Format() }
