// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import Testing

/// What the engine relies on, asked of both disks.
@Suite struct `A disk` {
    private static func with(_ kind: String, _ body: (any Disk, String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "cairn-disk-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(kind == "local" ? LocalDisk() : MemoryDisk(), folder)
    }

    @Test(arguments: ["local", "memory"]) func `appends, cuts, reads and lists`(kind: String) throws {
        try Self.with(kind) { disk, folder in
            #expect(try disk.list(folder).isEmpty)
            try disk.createDirectory(folder + "/a/b")
            try disk.createDirectory(folder + "/a/b")
            let path = folder + "/a/b/file"
            let file = try disk.create(path)
            #expect(throws: DiskError.self) { try disk.create(path) }
            try file.append([1, 2, 3])
            try file.append([])
            try file.append([4, 5])
            try file.sync()
            try file.truncate(to: 4)
            try file.append([6])
            file.close()
            file.close()
            let again = try disk.openForAppending(path)
            try again.append([7])
            try disk.syncDirectory(folder + "/a/b")
            #expect(try disk.readAll(path, limit: 100) == [1, 2, 3, 4, 6, 7])
            #expect(try disk.size(of: path) == 6)
            let reader = try disk.openForReading(path)
            #expect(try reader.size == 6)
            #expect(try reader.read(count: 2, at: 3) == [4, 6])
            let short = #expect(throws: DiskError.self) { try reader.read(count: 4, at: 3) }
            #expect(short?.code == .truncated)
            let large = #expect(throws: DiskError.self) { try disk.readAll(path, limit: 5) }
            #expect(large?.code == .tooLarge)
            #expect(try disk.list(folder + "/a/b") == ["file"])
            #expect(try disk.list(folder + "/a") == ["b"])
            try disk.rename(path, to: folder + "/a/b/other")
            #expect(try disk.size(of: path) == nil)
            #expect(try disk.readAll(path, limit: 5) == nil)
            // An open file outlives its name.
            try disk.remove(folder + "/a/b/other")
            try disk.remove(folder + "/a/b/other")
            #expect(try reader.read(count: 1, at: 0) == [1])
            let missing = #expect(throws: DiskError.self) { try disk.openForReading(path) }
            #expect(missing?.code == .notFound)
            #expect(missing?.description.contains(path) == true)
        }
    }

    @Test(arguments: ["local", "memory"]) func `removes a folder only if nothing is in it`(kind: String) throws {
        try Self.with(kind) { disk, folder in
            try disk.createDirectory(folder + "/a/b")
            try disk.replace(folder + "/a/b/file", with: [1])
            for path in ["/a", "/a/b"] { #expect(throws: DiskError.self) { try disk.removeDirectory(folder + path) } }
            try disk.remove(folder + "/a/b/file")
            for path in ["/a/b", "/a", "/a"] { try disk.removeDirectory(folder + path) }
            #expect(try disk.list(folder).isEmpty)
        }
    }

    @Test(arguments: ["local", "memory"]) func `replaces a file in one step`(kind: String) throws {
        try Self.with(kind) { disk, folder in
            try disk.createDirectory(folder)
            for content in [[1, 2, 3], [4], []] as [[UInt8]] {
                // What an earlier attempt left is no obstacle.
                if content == [4] { try disk.create(folder + "/file.tmp").append([9]) }
                try disk.replace(folder + "/file", with: content)
                #expect(try disk.readAll(folder + "/file", limit: 10) == content)
                #expect(try disk.list(folder) == ["file"])
            }
        }
    }

    @Test func `on the machine may have as many files open as the system allows`() {
        let limit = LocalDisk.allowManyOpenFiles()
        #expect(limit >= 256)
        #expect(LocalDisk.allowManyOpenFiles() == limit)
    }

    @Test func `on the machine makes files for their owner only`() throws {
        try Self.with("local") { disk, folder in
            try disk.createDirectory(folder)
            try disk.replace(folder + "/file", with: [1])
            let mode = try FileManager.default.attributesOfItem(atPath: folder + "/file")[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }
}

@Suite struct `Replacing a file` {
    @Test func `leaves the old content or the new, whatever fails`() throws {
        let operations: [MemoryDisk.Operation] = [.create, .append, .sync, .rename, .syncDirectory, .remove]
        let faults: [MemoryDisk.Fault] = [.lost(errno: 5), .kept(errno: 5), .torn(bytes: 2, errno: 28)]
        for operation in operations {
            for fault in faults {
                let disk = MemoryDisk()
                try disk.replace("d/file", with: [1, 1, 1])
                disk.setFault { asked, _ in asked == operation ? fault : nil }
                #expect(throws: DiskError.self) { try disk.replace("d/file", with: [2, 2, 2, 2]) }
                disk.setFault(nil)
                for seed in UInt64(0)..<20 {
                    let content = try disk.afterPowerLoss(seed: seed).readAll("d/file", limit: 10)
                    #expect(content == [1, 1, 1] || content == [2, 2, 2, 2], "\(operation) \(fault) seed \(seed)")
                }
                try disk.replace("d/file", with: [3])
                #expect(try disk.afterPowerLoss(seed: 3).readAll("d/file", limit: 10) == [3])
            }
        }
    }
}

@Suite struct `The disk in memory` {
    @Test func `keeps what was synced over a power loss, and some of the rest`() throws {
        let disk = MemoryDisk()
        let file = try disk.create("d/file")
        try file.append([1, 2, 3])
        try file.sync()
        try disk.syncDirectory("d")
        try file.append([4, 5, 6, 7])
        _ = try disk.create("d/new")
        try disk.replace("d/gone", with: [1])
        try disk.remove("d/gone")
        var lengths: Set<Int> = []
        var names: Set<[String]> = []
        for seed in UInt64(0)..<200 {
            let after = disk.afterPowerLoss(seed: seed)
            let content = try #require(try after.readAll("d/file", limit: 10))
            #expect(content.starts(with: [1, 2, 3]))
            lengths.insert(content.count)
            names.insert(try after.list("d"))
        }
        #expect(lengths == [3, 4, 5, 6, 7])
        #expect(names.count == 2, "a removal that was not synced may come back: \(names)")
    }

    @Test func `has only so much room, and gets it back`() throws {
        let disk = MemoryDisk()
        disk.setCapacity(10)
        let file = try disk.create("d/one")
        try file.append([UInt8](repeating: 1, count: 8))
        let full = #expect(throws: DiskError.self) { try file.append([1, 2, 3]) }
        #expect(full?.code == .full)
        try file.truncate(to: 5)
        #expect(disk.used == 5)
        try file.append([1, 2, 3])
        try disk.create("d/two").append([1, 2])
        try disk.rename("d/two", to: "d/one")
        #expect(disk.used == 2)
        try disk.remove("d/one")
        #expect(disk.used == 0)
    }

    @Test func `fails, tears and lies as told`() throws {
        let disk = MemoryDisk()
        let file = try disk.create("d/file")
        for (fault, fails, length) in [
            (.lost(errno: 5), true, 0), (.kept(errno: 5), true, 3), (.torn(bytes: 2, errno: 5), true, 5), (.lie, false, 5),
        ] as [(MemoryDisk.Fault, Bool, UInt64)] {
            disk.setFault { operation, _ in operation == .append ? fault : nil }
            if fails { #expect(throws: DiskError.self) { try file.append([1, 2, 3]) } } else { try file.append([1, 2, 3]) }
            #expect(try disk.size(of: "d/file") == length)
        }
    }
}

@Suite struct `A folder lock` {
    @Test func `refuses a second holder until the first ends`() throws {
        let folder = NSTemporaryDirectory() + "cairn-lock-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try LocalDisk().createDirectory(folder)
        var first: FolderLock? = try FolderLock(folder: folder)
        let refusal = #expect(throws: DiskError.self) { try FolderLock(folder: folder) }
        #expect(refusal?.code == .locked)
        #expect(first != nil)
        first = nil
        _ = try FolderLock(folder: folder)
    }
}
