// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import KeyManagement
import Metadata

/// Rows of the metadata under a keyed checksum, bound to their place: whoever edits the database without the key is
/// found out. What it cannot see: a row, or the whole database, set back to an earlier state of its own.
///
/// A value is its JSON ‖ 0x0A ‖ HMAC-SHA-256 (32) of path ‖ 0x00 ‖ JSON. Source: docs/formats/object.md.
struct SealedRows: Sendable {
    /// A row as found.
    struct Found<Value> {
        /// What the row says; nil if it cannot be read at all.
        var value: Value?
        /// Whether it is what the store wrote.
        var isIntact: Bool
    }

    private static let keyPath = "object-store/row-key"
    private static let context = Data("object rows".utf8)
    private static let overhead = 1 + 32
    private let key: SymmetricKey

    private struct WrappedKey: Codable {
        var wrapped: Data
    }

    /// - Throws: ``ObjectError/rowKeyMissing`` if there are buckets, but not the key that sealed their rows.
    init(metadata: Metadata, service: ServiceKey) throws {
        key = try metadata.transact { transaction in
            if let row = try transaction.value(WrappedKey.self, at: Self.keyPath) {
                return try service.unwrap(row.wrapped, context: Self.context)
            }
            guard try transaction.entries(prefix: "buckets/", limit: 1).isEmpty else { throw ObjectError.rowKeyMissing }
            let made = try service.newDataKey(context: Self.context)
            try transaction.put(WrappedKey(wrapped: Data(made.wrapped)), at: Self.keyPath)
            return made.key
        }
    }

    func value(_ value: some Encodable, at path: String) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = try encoder.encode(value)
        var bytes = [UInt8](json)
        bytes.append(0x0A)
        bytes += checksum(json, at: path)
        return bytes
    }

    func read<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8], at path: String) -> Found<Value> {
        guard bytes.count > Self.overhead else { return Found(value: nil, isIntact: false) }
        let json = Data(bytes.dropLast(Self.overhead))
        let isIntact =
            bytes[bytes.count - Self.overhead] == 0x0A
            && HMAC<SHA256>.isValidAuthenticationCode(bytes.suffix(32), authenticating: input(json, at: path), using: key)
        let value = try? JSONDecoder().decode(type, from: json)
        return Found(value: value, isIntact: isIntact && value != nil)
    }

    func read<Value: Decodable>(_ type: Value.Type, _ entry: Metadata.Entry) -> Found<Value> {
        read(type, entry.value, at: entry.key)
    }

    private func input(_ json: Data, at path: String) -> Data {
        var input = Data(path.utf8)
        input.append(0)
        return input + json
    }

    private func checksum(_ json: Data, at path: String) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: input(json, at: path), using: key)
    }
}

extension Metadata.Transaction {
    func put(_ value: some Encodable, at path: String, sealedBy rows: SealedRows) throws {
        try put(path, rows.value(value, at: path))
    }
}
