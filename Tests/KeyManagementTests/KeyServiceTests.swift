// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import KeyManagement
import Metadata
import Testing

@Suite struct `A service key` {
    private let key = try! KeyService(metadata: Metadata(path: nil), rootKeyPath: "d/root.key", disk: MemoryDisk())
        .serviceKey("history")
    private let context = Data("context".utf8)

    @Test(arguments: [0, 1, 32, 5000]) func `opens what it sealed`(count: Int) throws {
        let secret = Data((0..<count).map { UInt8(truncatingIfNeeded: $0) })
        #expect(try key.unseal(try key.seal(secret, context: context), context: context) == secret)
    }

    @Test func `refuses another context, another key and any change`() throws {
        let sealed = try key.seal(Data("secret".utf8), context: context)
        #expect(throws: KeyError.cannotUnwrap) { try key.unseal(sealed, context: Data("other".utf8)) }
        for offset in sealed.indices {
            var changed = sealed
            changed[offset] ^= 1
            #expect(throws: KeyError.cannotUnwrap, "byte \(offset)") { try key.unseal(changed, context: context) }
            #expect(throws: KeyError.cannotUnwrap, "cut at \(offset)") { try key.unseal(sealed[..<offset], context: context) }
        }
        let other = ServiceKey(id: key.id, key: .init(size: .bits256))
        #expect(throws: KeyError.cannotUnwrap) { try other.unseal(sealed, context: context) }
    }

    @Test func `wraps data keys in 77 bytes, and takes no other secret for one`() throws {
        let made = try key.newDataKey(context: context)
        #expect(made.wrapped.count == 77)
        #expect(try key.unwrap(made.wrapped, context: context) == made.key)
        let short = try key.seal(Data([1, 2, 3]), context: context)
        #expect(throws: KeyError.cannotUnwrap) { try key.unwrap(short, context: context) }
    }
}

@Suite struct `The key service` {
    @Test func `gives the same key again, and another for another purpose`() throws {
        let (metadata, disk) = (try Metadata(path: nil), MemoryDisk())
        let keys = try KeyService(metadata: metadata, rootKeyPath: "d/root.key", disk: disk)
        let sealed = try keys.serviceKey("history").seal(Data([1]), context: Data())
        let again = try KeyService(metadata: metadata, rootKeyPath: "d/root.key", disk: disk)
        #expect(try again.serviceKey("history").unseal(sealed, context: Data()) == Data([1]))
        #expect(throws: KeyError.cannotUnwrap) { try again.serviceKey("objects").unseal(sealed, context: Data()) }
    }

    @Test func `says what is wrong with the root key`() throws {
        let (metadata, disk) = (try Metadata(path: nil), MemoryDisk())
        func open() throws -> KeyService { try KeyService(metadata: metadata, rootKeyPath: "d/root.key", disk: disk) }
        _ = try open().serviceKey("history")
        let good = try #require(try disk.readAll("d/root.key", limit: 100))
        for bad in ["", "\n", "AAAA", "not base64!", String(repeating: "A", count: 44), "\u{FF}\u{FE}"] {
            try disk.replace("d/root.key", with: Array(bad.utf8))
            #expect(throws: KeyError.rootMalformed(path: "d/root.key"), "\(bad)") { try open() }
        }
        try disk.replace("d/root.key", with: Array(Data(repeating: 1, count: 32).base64EncodedString().utf8))
        #expect(throws: KeyError.self) { try open() }
        try disk.remove("d/root.key")
        #expect(throws: KeyError.rootMissing(path: "d/root.key")) { try open() }
        #expect(try disk.size(of: "d/root.key") == nil)
        try disk.replace("d/root.key", with: [10, 32] + good + [13, 10])
        _ = try open().serviceKey("history")
    }

    @Test func `does not use a root key that is not on disk`() throws {
        for operation in [MemoryDisk.Operation.create, .append, .sync, .rename, .syncDirectory] {
            let (metadata, disk) = (try Metadata(path: nil), MemoryDisk())
            disk.setFault { asked, _ in asked == operation ? .lost(errno: 28) : nil }
            #expect(throws: DiskError.self) { try KeyService(metadata: metadata, rootKeyPath: "d/root.key", disk: disk) }
            disk.setFault(nil)
            _ = try KeyService(metadata: metadata, rootKeyPath: "d/root.key", disk: disk).serviceKey("history")
        }
    }
}
