// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import KeyManagement
import LogEngine
import Metadata
import Synchronization

/// Buckets and objects in the data folder: a file an object, encrypted in chunks under a key of its own; names and
/// attributes in the metadata.
///
/// Order of a put: file written and synced under a temporary name, renamed, then the metadata row, durably; the file
/// that a replaced object had goes last. A crash before the row leaves a file that nothing names, which ``sweep()``
/// removes. Each file is bound to its name. Source: docs/formats/object.md.
public final class EmbeddedObjectStore: ObjectStore {
    static let magic: StaticString = "CRNOBJT1"
    /// Plain bytes in a chunk; each is sealed alone, so that a range opens only what it needs.
    static let chunkSize = 64 << 10
    static let sealedOverhead = 16

    private let folder: String
    private let region: String
    private let disk: any Disk
    private let key: ServiceKey
    private let metadata: Metadata
    private let now: @Sendable () -> Date
    /// Files of uploads that no row names yet: ``sweep()`` leaves them alone.
    private let uploading = Mutex<Set<String>>([])

    public init(
        folder: String, region: String, disk: any Disk, keys: KeyService, metadata: Metadata,
        now: @escaping @Sendable () -> Date
    ) throws {
        self.folder = folder
        self.region = region
        self.disk = disk
        self.metadata = metadata
        self.now = now
        key = try keys.serviceKey("objects")
        try disk.createDirectory(folder)
    }

    // MARK: Buckets

    public func createBucket(_ name: String, owner: String) throws -> Bucket {
        guard Self.isBucketName(name) else { throw ObjectError.invalidBucketName(name) }
        // Before the row: a crash in between leaves an empty folder, not a bucket that takes no object.
        try disk.createDirectory(folder + "/" + name)
        return try metadata.transact { transaction in
            if let bucket = try transaction.value(Bucket.self, at: "buckets/" + name) {
                guard bucket.owner == owner else { throw ObjectError.bucketAlreadyExists(name) }
                return bucket
            }
            let bucket = Bucket(name: name, owner: owner, createdAt: now(), region: region)
            try transaction.put(bucket, at: "buckets/" + name)
            return bucket
        }
    }

    public static func isBucketName(_ name: String) -> Bool {
        let isAllowed = name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        return isAllowed && (3...63).contains(name.utf8.count) && !name.hasPrefix("-") && !name.hasSuffix("-")
    }

    public func bucket(_ name: String) throws -> Bucket? {
        try metadata.value(Bucket.self, at: "buckets/" + name)
    }

    public func buckets(owner: String) throws -> [Bucket] {
        try metadata.values(Bucket.self, prefix: "buckets/").filter { $0.owner == owner }
    }

    public func deleteBucket(_ name: String) throws {
        try metadata.transact { transaction in
            guard try transaction.entry("buckets/" + name) != nil else { throw ObjectError.noSuchBucket(name) }
            guard try transaction.entries(prefix: Self.objectPath(name, ""), limit: 1).isEmpty else {
                throw ObjectError.bucketNotEmpty(name)
            }
            try transaction.delete("buckets/" + name)
        }
    }

    // MARK: Objects

    private static func objectPath(_ bucket: String, _ key: String) -> String { "objects/\(bucket)/\(key)" }

    private func filePath(_ object: StoredObject) -> String { "\(folder)/\(object.bucket)/\(object.file)" }

    public func object(bucket: String, key: String) throws -> StoredObject? {
        try metadata.value(StoredObject.self, at: Self.objectPath(bucket, key))
    }

    public func objects(bucket: String, prefix: String, after marker: String, limit: Int) throws -> [StoredObject] {
        try metadata.values(
            StoredObject.self, prefix: Self.objectPath(bucket, prefix), after: Self.objectPath(bucket, marker),
            limit: limit)
    }

    public func deleteObject(bucket: String, key: String) throws {
        let removed = try metadata.transact { transaction in
            let path = Self.objectPath(bucket, key)
            let object = try transaction.value(StoredObject.self, at: path)
            try transaction.delete(path)
            return object
        }
        // The object is gone with its row; a file that cannot be removed now is swept later.
        if let removed { try? disk.remove(filePath(removed)) }
    }

    public func beginUpload(bucket: String, key: String, attributes: ObjectAttributes) throws -> any ObjectUpload {
        guard try self.bucket(bucket) != nil else { throw ObjectError.noSuchBucket(bucket) }
        guard (1...1023).contains(key.utf8.count), let first = key.utf8.first, first != UInt8(ascii: "/"),
            first != UInt8(ascii: "\\"), !key.utf8.contains(0)
        else {
            throw ObjectError.invalidKey(key)
        }
        return try Upload(store: self, bucket: bucket, key: key, attributes: attributes)
    }

    private final class Upload: ObjectUpload {
        private let store: EmbeddedObjectStore
        private let bucket: String
        private let key: String
        private let attributes: ObjectAttributes
        private let name = UUID().uuidString.lowercased()
        private let file: any WritableFile
        private let envelope: FileEnvelope
        private var chunk: [UInt8] = []
        private var chunkNumber = 0
        private var size: Int64 = 0
        private var md5 = Insecure.MD5()
        private var crc = CRC64()
        private var state = State.open

        private enum State {
            case open
            /// A write failed: what the file holds is not known any more.
            case failed
            case ended
        }

        init(store: EmbeddedObjectStore, bucket: String, key: String, attributes: ObjectAttributes) throws {
            self.store = store
            self.bucket = bucket
            self.key = key
            self.attributes = attributes
            envelope = try FileEnvelope(magic: EmbeddedObjectStore.magic, key: store.key)
            let path = store.folder + "/" + bucket + "/" + name + ".tmp"
            store.begin(name)
            do { file = try store.createFile(path, bucket: bucket) } catch {
                store.end(name)
                throw error
            }
            do { try file.append(envelope.header) } catch {
                file.close()
                try? store.disk.remove(path)
                store.end(name)
                throw error
            }
            chunk.reserveCapacity(EmbeddedObjectStore.chunkSize)
        }

        deinit { abandon() }

        private var finalPath: String { store.folder + "/" + bucket + "/" + name }
        private var temporaryPath: String { finalPath + ".tmp" }

        func append(_ bytes: UnsafeRawBufferPointer) throws {
            guard state == .open else { throw UploadEnded(key: key) }
            md5.update(bufferPointer: bytes)
            crc.update(bytes)
            size += Int64(bytes.count)
            var rest = bytes
            while !rest.isEmpty {
                let count = min(rest.count, EmbeddedObjectStore.chunkSize - chunk.count)
                chunk.append(contentsOf: rest.prefix(count))
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
                if chunk.count == EmbeddedObjectStore.chunkSize { try flush() }
            }
        }

        private func flush() throws {
            let sealed = envelope.seal(
                chunk, nonce: EmbeddedObjectStore.nonce(chunk: chunkNumber), authenticating: Array(name.utf8))
            do { try file.append([UInt8](sealed)) } catch {
                state = .failed
                throw error
            }
            chunkNumber += 1
            chunk.removeAll(keepingCapacity: true)
        }

        func finish(expectedMD5: [UInt8]?) throws -> StoredObject {
            guard state == .open else { throw UploadEnded(key: key) }
            do {
                let digest = Data(md5.finalize())
                if let expectedMD5, !digest.elementsEqual(expectedMD5) { throw ObjectError.digestMismatch(key: key) }
                if !chunk.isEmpty { try flush() }
                try file.sync()
                let object = StoredObject(
                    bucket: bucket, key: key, size: size, md5: digest, crc64: crc.value, modifiedAt: store.now(),
                    attributes: attributes, file: name)
                try store.disk.rename(temporaryPath, to: finalPath)
                try store.disk.syncDirectory(store.folder + "/" + bucket)
                let replaced = try store.metadata.transact { transaction in
                    guard try transaction.entry("buckets/" + bucket) != nil else { throw ObjectError.noSuchBucket(bucket) }
                    let path = EmbeddedObjectStore.objectPath(bucket, key)
                    let replaced = try transaction.value(StoredObject.self, at: path)
                    try transaction.put(object, at: path)
                    return replaced
                }
                state = .ended
                file.close()
                store.end(name)
                if let replaced { try? store.disk.remove(store.filePath(replaced)) }
                return object
            } catch {
                abandon()
                throw error
            }
        }

        func abandon() {
            guard state != .ended else { return }
            state = .ended
            file.close()
            try? store.disk.remove(temporaryPath)
            // It may have its final name already; while its row cannot be read it stays, for the sweep to judge.
            do {
                let row = try store.object(bucket: bucket, key: key)
                if row?.file != name { try store.disk.remove(finalPath) }
            } catch {}
            store.end(name)
        }
    }

    private func begin(_ name: String) { uploading.withLock { _ = $0.insert(name) } }
    private func end(_ name: String) { uploading.withLock { _ = $0.remove(name) } }

    private func createFile(_ path: String, bucket: String) throws -> any WritableFile {
        do { return try disk.create(path) } catch {
            // Not `catch where`: with a typed error the 6.3 compiler does not come to an end.
            guard error.code == .notFound else { throw error }
            try disk.createDirectory(folder + "/" + bucket)
            return try disk.create(path)
        }
    }

    private static func nonce(chunk: Int) -> AES.GCM.Nonce {
        let bytes = withUnsafeBytes(of: UInt64(chunk).littleEndian) { Array($0) } + [0, 0, 0, 0]
        return try! AES.GCM.Nonce(data: bytes)
    }

    public func read(_ object: StoredObject, range: Range<Int64>, into sink: (Data) async throws -> Void) async throws {
        func damaged(_ offset: Int64) -> ObjectError {
            ObjectError.objectDamaged(bucket: object.bucket, key: object.key, offset: offset)
        }
        let file: any ReadableFile
        do { file = try disk.openForReading(filePath(object)) } catch {
            guard error.code == .notFound else { throw error }
            // Replaced or deleted since the row was read, or lost.
            let current = try self.object(bucket: object.bucket, key: object.key)
            throw current?.file == object.file ? damaged(0) : error
        }
        let range = range.clamped(to: 0..<object.size)
        let prefix = try file.read(count: Int(min(try file.size, UInt64(FileEnvelope.maximumSize))), at: 0)
        guard let envelope = try? FileEnvelope(reading: prefix, magic: Self.magic, key: key) else { throw damaged(0) }
        var position = range.lowerBound
        while position < range.upperBound {
            let chunk = position / Int64(Self.chunkSize)
            let start = chunk * Int64(Self.chunkSize)
            let plainCount = Int(min(Int64(Self.chunkSize), object.size - start))
            let offset = UInt64(envelope.header.count) + UInt64(chunk) * UInt64(Self.chunkSize + Self.sealedOverhead)
            guard let sealed = try? file.read(count: plainCount + Self.sealedOverhead, at: offset),
                let plain = try? envelope.open(
                    sealed[...], nonce: Self.nonce(chunk: Int(chunk)), authenticating: Array(object.file.utf8))
            else { throw damaged(start) }
            let end = min(range.upperBound, start + Int64(plainCount))
            try await sink(plain.dropFirst(Int(position - start)).prefix(Int(end - position)))
            position = end
        }
    }

    /// Removes files that no object names: what a crash left between a file and its row.
    ///
    /// Goes through every row, so it belongs in the background. It may run at any time: an upload in progress, or one
    /// that begins meanwhile, keeps its file.
    public func sweep() throws {
        var failure: (any Error)?
        for bucket in try disk.list(folder) {
            let path = folder + "/" + bucket
            // In this order: a file listed here is either of an upload seen here, or has had its row by now.
            var orphans = Set(try disk.list(path))
            let uploads = uploading.withLock { $0 }
            orphans.subtract(uploads)
            orphans.subtract(uploads.map { $0 + ".tmp" })
            var marker = ""
            while !orphans.isEmpty {
                let page = try objects(bucket: bucket, prefix: "", after: marker, limit: 500)
                guard let last = page.last else { break }
                for object in page { orphans.remove(object.file) }
                marker = last.key
            }
            for file in orphans {
                do { try disk.remove(path + "/" + file) } catch { failure = failure ?? error }
            }
        }
        if let failure { throw failure }
    }
}

extension ObjectStore {
    /// Puts a whole object at once.
    @discardableResult
    public func put(_ content: [UInt8], bucket: String, key: String, attributes: ObjectAttributes = .init()) throws
        -> StoredObject
    {
        let upload = try beginUpload(bucket: bucket, key: key, attributes: attributes)
        do {
            try content.withUnsafeBytes { try upload.append($0) }
        } catch {
            upload.abandon()
            throw error
        }
        return try upload.finish(expectedMD5: nil)
    }

    /// The whole content of an object.
    public func content(of object: StoredObject) async throws -> [UInt8] {
        var content: [UInt8] = []
        content.reserveCapacity(Int(object.size))
        try await read(object, range: 0..<object.size) { content += $0 }
        return content
    }
}
