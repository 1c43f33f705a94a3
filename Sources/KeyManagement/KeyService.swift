// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import Metadata
import Synchronization

/// Which question does this room answer? *Which key opens this envelope?* Root of trust → keys → data keys →
/// AES-256-GCM.
///
/// The service's own keys and the customers' keys are the same records with the same versions; the former belong to no
/// account, so that no call from outside can name them. Everything but plain material is in memory from the start, and
/// changes there once it is durable: asking for a key's state costs no disk access. This object is the only writer.
public final class KeyService: Sendable {
    /// How many of each there may be; source: kms.md section 8.
    public struct Limits: Sendable {
        /// Per account and region.
        public var keys = 200
        /// Per account and region.
        public var aliases = 300
        public var versions = 50

        public init() {}
    }

    /// What is known of the keys, changed after each transaction.
    struct Table: Sendable {
        /// By id: the customers'.
        var customers: [String: KeyCell] = [:]
        /// The customers' keys by their versions, which is what a ciphertext names.
        var versions: [UUID: KeyCell] = [:]
        /// By purpose: the service's own.
        var service: [String: KeyCell] = [:]
        /// Ids of keys by account and region, then by alias without its prefix.
        var aliases: [KeyScope: [String: String]] = [:]

        var cells: [KeyCell] { Array(customers.values) + Array(service.values) }
    }

    let metadata: Metadata
    let disk: any Disk
    let clock: @Sendable () -> Date
    let limits: Limits
    /// Held through every change, so that changes are one after another. Taken before `root`, and `root` before a cell.
    let writing = Mutex(())
    let root: Mutex<RootInForce>
    let table: Mutex<Table>

    /// - Parameters:
    ///   - root: has to be the one in force, unless the folder is new.
    ///   - now: what deletion windows, rotation and expiry go by.
    /// - Throws: ``KeyError`` that says what is wrong with the root.
    public convenience init(
        metadata: Metadata, root: RootOfTrust, disk: any Disk, limits: Limits = Limits(),
        now: @escaping @Sendable () -> Date = { Date() }
    ) throws {
        try self.init(
            metadata: metadata, root: root, disk: disk, limits: limits, scryptRounds: Scrypt.standardRounds, now: now)
    }

    /// With the root in a file, made on the first start with mode 0600.
    ///
    /// - Throws: `KeyError.rootMissing` if keys exist that a root which is gone has wrapped.
    public convenience init(metadata: Metadata, rootKeyPath: String, disk: any Disk) throws {
        try self.init(metadata: metadata, root: .file(rootKeyPath), disk: disk)
    }

    /// - Parameter scryptRounds: of a new passphrase; tests take few.
    package init(
        metadata: Metadata, root setting: RootOfTrust, disk: any Disk, limits: Limits = Limits(), scryptRounds: Int,
        now: @escaping @Sendable () -> Date = { Date() }
    ) throws {
        self.metadata = metadata
        self.disk = disk
        self.limits = limits
        clock = now
        let opened = try RootInForce.open(
            setting, metadata: metadata, disk: disk, scryptRounds: scryptRounds, now: Int64(now().timeIntervalSince1970))
        table = Mutex(try KeyStore.load(metadata))
        root = Mutex(opened)
    }

    /// Unix seconds.
    var now: Int64 { Int64(clock().timeIntervalSince1970) }

    /// The service's own key for one purpose, made when first asked for.
    public func serviceKey(_ purpose: String) throws -> ServiceKey {
        let cell = try writing.withLock { _ in
            if let cell = table.withLock({ $0.service[purpose] }) { return cell }
            let record = KeyRecord(
                id: Self.newId(), account: "", region: "", purpose: purpose, spec: .aes256, usage: .encryptDecrypt,
                origin: .service, createdAt: now)
            var content = KeyCell.Content(record: record, versions: [], offers: [])
            try addVersion(to: &content, material: SymmetricKey(size: .bits256))
            return try insert(content)
        }
        // A key that cannot be opened is found now, not at its first use.
        _ = try cell.material(of: nil, at: { 0 }, open: opener)
        return ServiceKey(cell, open: opener)
    }

    /// Makes a new version of one of the service's keys; what older ones sealed stays readable.
    ///
    /// - Throws: ``KeyError/keyNotFound(_:)`` if there is no key for the purpose.
    public func rotateServiceKey(_ purpose: String) throws {
        guard let cell = table.withLock({ $0.service[purpose] }) else { throw KeyError.keyNotFound(purpose) }
        try change(cell) { content in try addVersion(to: &content, material: SymmetricKey(size: .bits256)) }
    }

    /// The service's own keys, by purpose.
    public var serviceKeys: [KeyRecord] {
        table.withLock { Array($0.service.values) }.map(\.record).sorted { ($0.purpose ?? "") < ($1.purpose ?? "") }
    }

    /// A handle on a customer's key, for wrapping data keys.
    ///
    /// - Parameter name: id, ARN or alias. Only keys of this very account and region are found.
    /// - Throws: ``KeyError/keyNotFound(_:)``, ``KeyError/aliasNotFound(_:)``, and ``KeyError/notSupported(_:)`` for a
    ///   key that cannot wrap data keys; not for a key that is disabled: that its uses tell.
    public func customerKey(_ name: String, account: String, region: String) throws -> CustomerKey {
        let record = try find(name, account: account, region: region)
        guard record.account == account else { throw KeyError.keyNotFound(name) }
        guard record.spec.isSymmetric else { throw KeyError.notSupported("an asymmetric key wraps no data keys") }
        let clock = clock
        return CustomerKey(
            try cell(record.id), now: { Int64(clock().timeIntervalSince1970) }, open: opener)
    }

    /// Versions of a key whose plain material is in memory.
    package func openVersions(of id: String) -> Int { table.withLock { $0.customers[id] }?.openVersions ?? 0 }

    static func newId() -> String { UUID().uuidString.lowercased() }

    // MARK: Cells

    func cell(_ id: String) throws(KeyError) -> KeyCell {
        guard let cell = table.withLock({ $0.customers[id] }) else { throw .keyNotFound(id) }
        return cell
    }

    /// Opens a version of a key with the root.
    var opener: @Sendable (KeyCell, UUID) throws -> SymmetricKey {
        { [self] cell, id in
            try root.withLock { root in
                // Read only now: a change of root rewraps everything while it holds the root.
                let content = cell.content
                guard let version = content.versions.first(where: { $0.id == id }) else {
                    throw KeyError.versionNotFound(id.uuidString.lowercased())
                }
                guard let sealed = version.sealed else { throw KeyError.rejected(.pendingImport) }
                do { return try root.key.unwrap(sealed, context: version.context(of: content.record)) } catch KeyError
                    .cannotUnwrap
                {
                    throw KeyError.damaged(key: content.record.purpose ?? content.record.id)
                }
            }
        }
    }

    /// Gives a key its next version, in memory.
    func addVersion(to content: inout KeyCell.Content, material: SymmetricKey) throws {
        var version = SealedVersion(
            id: UUID(), number: (content.versions.last?.number ?? 0) + 1, createdAt: now, sealed: nil)
        version.sealed = try seal(material, context: version.context(of: content.record))
        content.versions.append(version)
        content.record.newestVersion = version.id
        content.record.lastRotatedAt = version.createdAt
    }

    func seal(_ material: SymmetricKey, context: Data) throws -> Data {
        try root.withLock { try $0.key.wrap(material, context: context) }
    }

    // MARK: Changes: on disk, then in memory

    /// A new key. The caller holds `writing`.
    func insert(_ content: KeyCell.Content) throws -> KeyCell {
        try metadata.transact { try KeyStore.put(content, over: nil, in: $0) }
        let cell = KeyCell(content)
        table.withLock { table in
            if let purpose = content.record.purpose {
                table.service[purpose] = cell
            } else {
                table.customers[content.record.id] = cell
                for version in content.versions { table.versions[version.id] = cell }
            }
        }
        return cell
    }

    /// Changes one key, alone.
    ///
    /// - Parameter body: works on a copy; throws to leave everything as it is.
    @discardableResult
    func change<Result>(_ cell: KeyCell, _ body: (inout KeyCell.Content) throws -> Result) throws -> Result {
        try writing.withLock { _ in
            let before = cell.content
            // Deleted while we waited.
            if before.record.purpose == nil { _ = try self.cell(before.record.id) }
            var after = before
            let result = try body(&after)
            if after != before { try replace(cell, before, with: after) }
            return result
        }
    }

    /// The caller holds `writing`.
    func replace(_ cell: KeyCell, _ before: KeyCell.Content, with after: KeyCell.Content) throws {
        try metadata.transact { try KeyStore.put(after, over: before, in: $0) }
        cell.replace(after)
        guard after.record.purpose == nil else { return }
        table.withLock { table in for version in after.versions { table.versions[version.id] = cell } }
    }
}
