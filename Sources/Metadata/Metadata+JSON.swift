// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Values kept as JSON. Off every hot path, so Foundation's coder serves.
extension Metadata {
    public func value<Value: Decodable>(_ type: Value.Type, at key: String) throws -> Value? {
        try entry(key).map { try JSONDecoder().decode(type, from: Data($0.value)) }
    }

    public func values<Value: Decodable>(
        _ type: Value.Type, prefix: String, after: String = "", limit: Int = .max
    ) throws -> [Value] {
        try entries(prefix: prefix, after: after, limit: limit).map {
            try JSONDecoder().decode(type, from: Data($0.value))
        }
    }
}

extension Metadata.Transaction {
    public func value<Value: Decodable>(_ type: Value.Type, at key: String) throws -> Value? {
        try entry(key).map { try JSONDecoder().decode(type, from: Data($0.value)) }
    }

    public func values<Value: Decodable>(_ type: Value.Type, prefix: String) throws -> [Value] {
        try entries(prefix: prefix).map { try JSONDecoder().decode(type, from: Data($0.value)) }
    }

    public func put(_ value: some Encodable, at key: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try put(key, [UInt8](encoder.encode(value)))
    }
}
