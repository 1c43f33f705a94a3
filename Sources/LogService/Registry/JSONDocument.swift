// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A small JSON text, parsed: all of it is kept, also what nobody here knows.
enum JSONDocument: Codable, Equatable {
    case null
    case flag(Bool)
    case integer(Int)
    case number(Decimal)
    case text(String)
    case list([JSONDocument])
    case object([String: JSONDocument])

    static let maximumDepth = 32

    init(_ json: Data) throws { self = try JSONDecoder().decode(JSONDocument.self, from: json) }

    init(from decoder: any Decoder) throws {
        guard decoder.codingPath.count <= Self.maximumDepth else {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "nested too deeply"))
        }
        let value = try decoder.singleValueContainer()
        if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let integer = try? value.decode(Int.self) {
            self = .integer(integer)
        } else if value.decodeNil() {
            self = .null
        } else if let keyed = try? decoder.container(keyedBy: Key.self) {
            self = .object(
                try Dictionary(
                    keyed.allKeys.map { ($0.stringValue, try keyed.decode(JSONDocument.self, forKey: $0)) },
                    uniquingKeysWith: { $1 }))
        } else if var list = try? decoder.unkeyedContainer() {
            var elements: [JSONDocument] = []
            while !list.isAtEnd { elements.append(try list.decode(JSONDocument.self)) }
            self = .list(elements)
        } else {
            self = .number(try value.decode(Decimal.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .flag(let flag): try value.encode(flag)
        case .integer(let integer): try value.encode(integer)
        case .number(let number): try value.encode(number)
        case .text(let text): try value.encode(text)
        case .list(let elements): try value.encode(elements)
        case .object(let members): try value.encode(members)
        }
    }

    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
