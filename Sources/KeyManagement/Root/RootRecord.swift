// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// What the metadata tell of the root in force, at `keys/root`; source: docs/formats/keys.md.
struct RootRecord: Codable, Sendable, Equatable {
    enum Kind: String, Codable, Sendable {
        case file, passphrase, token
    }

    static let path = "keys/root"

    let kind: Kind
    /// Another one for each root that ever was.
    let id: UUID
    /// A known value under the root: tells the right root from a wrong one.
    let check: Data
    /// Of a passphrase.
    var scrypt: Scrypt?
    /// A former root's file that still has to be removed: a crash came between.
    var retired: RetiredFile?

    struct RetiredFile: Codable, Sendable, Equatable {
        let path: String
        let id: UUID
        let check: Data
    }

    private static let known = SymmetricKey(data: Array("cairn root check".utf8))

    init(kind: Kind, root: any RootKey, scrypt: Scrypt? = nil) throws {
        self.kind = kind
        self.scrypt = scrypt
        id = UUID()
        check = try root.wrap(Self.known, context: Self.context(id))
    }

    func isOf(_ root: any RootKey) throws -> Bool { try Self.opens(root, check, id) }

    /// - Throws: what the root says about itself; a wrong root is no error.
    static func opens(_ root: any RootKey, _ check: Data, _ id: UUID) throws -> Bool {
        do { return try root.unwrap(check, context: context(id)) == known } catch KeyError.cannotUnwrap { return false }
    }

    private static func context(_ id: UUID) -> Data { Data("cairn root\n\(id.uuidString)".utf8) }
}
