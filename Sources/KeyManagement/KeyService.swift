// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import Metadata

/// Which question does this room answer? *Which key opens this envelope?* Root of trust → keys of the service →
/// data keys → AES-256-GCM.
///
/// In this version the root of trust is a file and the keys are the service's own, one a purpose (`history`,
/// `objects`, `secrets`). Customer keys, versions and rotation hang on the same wrapped form.
public final class KeyService: Sendable {
    private let metadata: Metadata
    private let root: SymmetricKey

    /// - Parameter rootKeyPath: made on the first start, mode 0600. Its loss makes everything unreadable.
    /// - Throws: `KeyError.rootMissing` if keys exist that a root which is gone has wrapped.
    public init(metadata: Metadata, rootKeyPath: String, disk: any Disk) throws {
        self.metadata = metadata
        if let text = try disk.readAll(rootKeyPath, limit: 4096) {
            guard let key = Data(base64Encoded: Data(text.filter { $0 > 0x20 })), key.count == 32 else {
                throw KeyError.rootMalformed(path: rootKeyPath)
            }
            root = SymmetricKey(data: key)
        } else {
            guard try metadata.entries(prefix: "keys/").isEmpty else { throw KeyError.rootMissing(path: rootKeyPath) }
            root = SymmetricKey(size: .bits256)
            let text = root.withUnsafeBytes { Data($0).base64EncodedString() } + "\n"
            try disk.replace(rootKeyPath, with: Array(text.utf8))
        }
    }

    /// The service's own key for one purpose, made when first asked for.
    public func serviceKey(_ purpose: String) throws -> ServiceKey {
        let path = "keys/service/" + purpose
        let record = try metadata.transact { transaction in
            if let record = try transaction.value(KeyRecord.self, at: path) { return record }
            let id = UUID()
            let key = SymmetricKey(size: .bits256)
            let wrapped = try key.withUnsafeBytes {
                try AES.GCM.seal($0, using: root, authenticating: Data(id.uuidString.utf8)).combined!
            }
            let record = KeyRecord(id: id, purpose: purpose, wrapped: wrapped)
            try transaction.put(record, at: path)
            return record
        }
        guard
            let box = try? AES.GCM.SealedBox(combined: record.wrapped),
            let key = try? AES.GCM.open(box, using: root, authenticating: Data(record.id.uuidString.utf8))
        else { throw KeyError.wrongRoot(purpose: purpose) }
        return ServiceKey(id: record.id, key: SymmetricKey(data: key))
    }

    private struct KeyRecord: Codable {
        var id: UUID
        var purpose: String
        var wrapped: Data
    }
}

public enum KeyError: Error, Equatable, CustomStringConvertible {
    case rootMissing(path: String)
    case rootMalformed(path: String)
    case wrongRoot(purpose: String)
    /// The envelope was made by another key, or changed.
    case cannotUnwrap

    public var description: String {
        switch self {
        case .rootMissing(let path):
            "the root key `\(path)` is missing, but this data folder has keys that it wrapped: restore the file"
        case .rootMalformed(let path): "the root key `\(path)` is not 32 bytes of base64: restore the file"
        case .wrongRoot(let purpose):
            "the root key does not open the key `\(purpose)`: it belongs to another data folder, or was changed"
        case .cannotUnwrap: "a data key cannot be unwrapped: it was changed, or belongs to another key"
        }
    }
}
