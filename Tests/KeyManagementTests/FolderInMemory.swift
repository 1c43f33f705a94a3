// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CryptoExtras
import DurableFiles
import Foundation
import KeyManagement
import Metadata
import Testing

/// What of a data folder has to do with keys, in memory: the metadata, and the files of roots in the folder `d`.
struct FolderInMemory {
    static let now = Date(timeIntervalSince1970: 1_700_000_000)

    let metadata: Metadata
    let disk: MemoryDisk

    init(metadata: Metadata? = nil, disk: MemoryDisk = MemoryDisk()) throws {
        self.metadata = try metadata ?? Metadata(path: nil)
        self.disk = disk
    }

    /// What a start after a crash finds, to be opened without changing this one.
    ///
    /// - Parameter survivor: the disk that a loss of power left.
    func copy(disk survivor: MemoryDisk? = nil) throws -> FolderInMemory {
        let copy = try FolderInMemory()
        let entries = try metadata.entries(prefix: "")
        try copy.metadata.transact { transaction in
            for entry in entries { try transaction.put(entry.key, entry.value) }
        }
        let source = survivor ?? disk
        for name in try source.list("d") {
            try copy.disk.replace("d/" + name, with: try source.readAll("d/" + name, limit: 4096) ?? [])
        }
        return copy
    }

    /// The keys as a service finds them that starts at `now`.
    func open(_ root: RootOfTrust, at now: Date = Self.now) throws -> KeyService {
        try KeyService(metadata: metadata, root: root, disk: disk, scryptRounds: 2, now: { now })
    }
}

/// Something under every kind of key, by which a service shows that it opens everything.
struct Belongings {
    struct Sealed {
        let blob: Data
        let text: String
        let key: String
    }

    private static let account = "1000000000000001"
    private static let region = "cn-hangzhou"
    private static let digest = Data(repeating: 7, count: 32)

    /// Under the two versions of a key of the service.
    private var secrets: [[UInt8]] = []
    /// Of a rotating key under both versions, and of a key with imported material.
    private var usable: [Sealed] = []
    private var disabled: Sealed
    private var pendingDeletion: Sealed
    /// Its material was deleted, and can come back.
    private var erased: Sealed
    private var signature: Data
    private var signing: KeyUse
    /// Parameters for an import that has not come yet.
    private var offer: (key: String, token: Data, wrapped: Data)

    /// Fills an empty folder.
    init(in folder: FolderInMemory, under root: RootOfTrust) throws {
        let early = try folder.open(root, at: FolderInMemory.now - 31 * 86_400)
        secrets.append(try early.serviceKey("history").seal(Data("old secret".utf8), context: Data()))
        try early.rotateServiceKey("history")
        secrets.append(try early.serviceKey("history").seal(Data("new secret".utf8), context: Data()))
        var rotating = NewKey()
        rotating.rotates = true
        rotating.rotationInterval = "30d"
        let rotatingId = try Self.create(rotating, in: early)
        usable.append(try Self.seal("before", with: rotatingId, early))

        let keys = try folder.open(root)
        try #require(keys.maintain().rotated.map(\.id) == [rotatingId])
        usable.append(try Self.seal("after", with: rotatingId, keys))
        let material = Data((0..<32).map { UInt8($0) })
        let (imported, waiting, emptied) = (
            try Self.create(Self.external, in: keys), try Self.create(Self.external, in: keys),
            try Self.create(Self.external, in: keys)
        )
        for id in [imported, emptied] {
            let offer = try Self.prepareImport(of: material, to: id, keys)
            try keys.importMaterial(offer.wrapped, token: offer.token, expiresAt: 0, into: id)
        }
        usable.append(try Self.seal("imported", with: imported, keys))
        erased = try Self.seal("erased", with: emptied, keys)
        try keys.deleteMaterial(of: emptied)
        offer = try Self.prepareImport(of: material, to: waiting, keys)
        disabled = try Self.seal("disabled", with: try Self.create(NewKey(), in: keys), keys)
        try keys.disableKey(disabled.key)
        pendingDeletion = try Self.seal("pending", with: try Self.create(NewKey(), in: keys), keys)
        try keys.scheduleDeletion(of: pendingDeletion.key, days: 30)
        var pair = NewKey()
        pair.spec = "EC_P256"
        let pairId = try Self.create(pair, in: keys)
        let signed = try keys.sign(
            Self.digest, with: pairId, version: try keys.versions(of: pairId)[0].name, algorithm: "ECDSA_SHA_256")
        signature = signed.signature
        signing = signed.use
    }

    private static var external: NewKey {
        var new = NewKey()
        new.origin = "EXTERNAL"
        return new
    }

    private static func create(_ new: NewKey, in keys: KeyService) throws -> String {
        try keys.createKey(new, account: account, region: region).id
    }

    private static func seal(_ text: String, with id: String, _ keys: KeyService) throws -> Sealed {
        Sealed(blob: try keys.encrypt(text, with: id, context: .none).blob, text: text, key: id)
    }

    private static func prepareImport(
        of material: Data, to id: String, _ keys: KeyService
    ) throws -> (key: String, token: Data, wrapped: Data) {
        let parameters = try keys.importParameters(for: id, algorithm: "RSAES_OAEP_SHA_256", wrappingSpec: "RSA_2048")
        let wrapped = try _RSA.Encryption.PublicKey(derRepresentation: parameters.publicKey)
            .encrypt(material, padding: .PKCS1_OAEP_SHA256)
        return (id, parameters.token, wrapped)
    }

    /// Opens all of it. Changes states along the way: for a folder that is a copy, or a last look.
    func expectOpen(_ keys: KeyService, _ label: String) throws {
        let history = try keys.serviceKey("history")
        for (sealed, text) in zip(secrets, ["old secret", "new secret"]) {
            try #require(try history.unseal(sealed, context: Data()) == Data(text.utf8), "\(label)")
        }
        for sealed in usable { try expect(sealed, keys, label) }
        try #require(throws: KeyError.rejected(.disabled), "\(label)") { try keys.decrypt(disabled.blob, context: .none) }
        try keys.enableKey(disabled.key)
        try expect(disabled, keys, label)
        try keys.disableKey(disabled.key)
        try keys.cancelDeletion(of: pendingDeletion.key)
        try expect(pendingDeletion, keys, label)
        try keys.scheduleDeletion(of: pendingDeletion.key, days: 30)
        try #require(throws: KeyError.rejected(.pendingImport), "\(label)") { try keys.decrypt(erased.blob, context: .none) }
        let isValid = try keys.verify(
            signature, of: Self.digest, with: signing.keyId, version: signing.version, algorithm: "ECDSA_SHA_256"
        ).isValid
        try #require(isValid, "\(label)")
        try keys.importMaterial(offer.wrapped, token: offer.token, expiresAt: 0, into: offer.key)
        try expect(try Self.seal("waiting", with: offer.key, keys), keys, label)
    }

    private func expect(_ sealed: Sealed, _ keys: KeyService, _ label: String) throws {
        try #require(try keys.decrypt(sealed.blob, context: .none).plaintext == sealed.text, "\(label): \(sealed.text)")
    }
}
