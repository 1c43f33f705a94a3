// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import KeyManagement
import Metadata
import TestSupport
import Testing

/// Each write of a change of root is failed in each way; then the running service goes on, and others start where it crashed.
@Suite struct `A change of the root of trust` {
    enum Change: CaseIterable {
        case fileRenewed, fileToOtherFile, fileToPassphrase, passphraseToFile, passphraseToAnother

        var old: RootOfTrust {
            switch self {
            case .fileRenewed, .fileToOtherFile, .fileToPassphrase: .file("d/root.key")
            case .passphraseToFile, .passphraseToAnother: .passphrase("the old passphrase")
            }
        }

        var new: RootOfTrust {
            switch self {
            case .fileRenewed, .passphraseToFile: .file("d/root.key")
            case .fileToOtherFile: .file("d/other.key")
            case .fileToPassphrase, .passphraseToAnother: .passphrase("the new passphrase")
            }
        }

        /// A folder under the old root; made once.
        var start: (folder: FolderInMemory, belongings: Belongings) {
            switch self {
            case .fileRenewed, .fileToOtherFile, .fileToPassphrase: Self.underFile
            case .passphraseToFile, .passphraseToAnother: Self.underPassphrase
            }
        }

        /// What the setting that is not in force is refused with; empty where there is one setting only.
        func refusals(isChanged: Bool) -> [KeyError] {
            switch (self, isChanged) {
            case (.fileRenewed, _): []
            case (.fileToOtherFile, false): [.rootMissing(path: "d/other.key")]
            case (.fileToOtherFile, true): [.wrongRoot(kind: "the file `d/root.key`"), .rootMissing(path: "d/root.key")]
            case (.fileToPassphrase, false), (.passphraseToFile, true): [.otherRoot(stored: "file", given: "passphrase")]
            case (.fileToPassphrase, true), (.passphraseToFile, false): [.otherRoot(stored: "passphrase", given: "file")]
            case (.passphraseToAnother, _): [.wrongPassphrase]
            }
        }

        /// Files of roots that are left once a service has started under the new root.
        var filesAfterwards: [String] {
            switch self {
            case .fileRenewed, .passphraseToFile: ["root.key"]
            case .fileToOtherFile: ["other.key"]
            case .fileToPassphrase, .passphraseToAnother: []
            }
        }

        private static let underFile = try! prepared(.file("d/root.key"))
        private static let underPassphrase = try! prepared(.passphrase("the old passphrase"))

        private static func prepared(_ root: RootOfTrust) throws -> (folder: FolderInMemory, belongings: Belongings) {
            let folder = try FolderInMemory()
            return (folder, try Belongings(in: folder, under: root))
        }
    }

    enum Way: CaseIterable {
        case lost, kept, torn

        var fault: MemoryDisk.Fault {
            switch self {
            case .lost: .lost(errno: 5)
            case .kept: .kept(errno: 5)
            case .torn: .torn(bytes: 20, errno: 28)
            }
        }
    }

    /// Starts after the change, or after the attempt: the root in force opens everything, the other setting is refused with a
    /// reason, and the next change goes through.
    private static func expectOneRoot(
        _ change: Change, _ folder: FolderInMemory, _ belongings: Belongings, isChanged: Bool, _ label: String
    ) throws {
        let (inForce, other) = isChanged ? (change.new, change.old) : (change.old, change.new)
        let refusals = change.refusals(isChanged: isChanged)
        if !refusals.isEmpty {
            let refused = try folder.copy()
            let error = try #require(throws: KeyError.self, "\(label)") { try refused.open(other) }
            try #require(refusals.contains(error), "\(label): \(error)")
        }
        let keys = try folder.open(inForce)
        try belongings.expectOpen(keys, label)
        let files = try folder.disk.list("d")
        if isChanged {
            try #require(files == change.filesAfterwards, "\(label): \(files)")
        } else if case .file = change.old {
            try #require(files.contains("root.key") && !files.contains("root.key.next"), "\(label): \(files)")
        }
        try keys.rotateRoot(to: change.new, scryptRounds: 2)
        try belongings.expectOpen(keys, "\(label), changed again")
        try belongings.expectOpen(try folder.open(change.new), "\(label), changed again and started")
        let left = try folder.disk.list("d")
        try #require(left == change.filesAfterwards, "\(label), changed again: \(left)")
    }

    @Test(arguments: Change.allCases)
    func `opens everything with the new root, and nothing with the old one`(change: Change) throws {
        let (start, belongings) = change.start
        let folder = try start.copy()
        let oldFile = try folder.disk.readAll("d/root.key", limit: 100)
        let keys = try folder.open(change.old)
        try keys.rotateRoot(to: change.new, scryptRounds: 2)
        try belongings.expectOpen(keys, "running")
        try Self.expectOneRoot(change, try folder.copy(), belongings, isChanged: true, "started")
        guard let oldFile else { return }
        // A copy of the old file is of no use any more, whatever it is called.
        let refused = try folder.copy()
        try refused.disk.replace("d/root.key", with: oldFile)
        try refused.disk.replace("d/root.key.next", with: oldFile)
        let error = try #require(throws: KeyError.self) { try refused.open(.file("d/root.key")) }
        let expected: KeyError =
            change == .fileToPassphrase
            ? .otherRoot(stored: "passphrase", given: "file") : .wrongRoot(kind: "the file `d/root.key`")
        #expect(error == expected)
    }

    @Test(arguments: Change.allCases, Way.allCases)
    func `loses nothing, whichever of its writes fails`(change: Change, way: Way) throws {
        let (start, belongings) = change.start
        let counted = FaultPlan()
        let whole = try start.copy()
        let wholeKeys = try whole.open(change.old)
        counted.install(on: whole.disk)
        try wholeKeys.rotateRoot(to: change.new, scryptRounds: 2)
        if change != .passphraseToAnother { try #require(counted.total > 1) }
        for number in 0..<counted.total {
            // One write fails, or all from there on: the end of the process.
            for failing in [number..<number + 1, number..<1000] {
                let label = "\(change), \(way) at write \(failing)"
                let folder = try start.copy()
                let keys = try folder.open(change.old)
                FaultPlan(failing: failing) { _ in way.fault }.install(on: folder.disk)
                let error = try #require(throws: (any Error).self, "\(label)") {
                    try keys.rotateRoot(to: change.new, scryptRounds: 2)
                }
                folder.disk.setFault(nil)
                // Only one error says that the new root is in force.
                var isChanged = false
                if case .rootNotTidied? = error as? KeyError { isChanged = true }
                try Self.expectOneRoot(change, try folder.copy(), belongings, isChanged: isChanged, label)
                for seed in UInt64(0)..<3 {
                    let survivor = try FolderInMemory(
                        metadata: try folder.copy().metadata, disk: folder.disk.afterPowerLoss(seed: UInt64(number) * 3 + seed))
                    try Self.expectOneRoot(
                        change, survivor, belongings, isChanged: isChanged, "\(label), power loss \(seed)")
                }
                try belongings.expectOpen(keys, "\(label), running")
                try keys.rotateRoot(to: change.new, scryptRounds: 2)
                try belongings.expectOpen(keys, "\(label), running, changed again")
                try Self.expectOneRoot(
                    change, try folder.copy(), belongings, isChanged: true, "\(label), changed again, started")
            }
        }
    }

    @Test(arguments: Change.allCases) func `leaves everything as it is when the metadata refuse it`(change: Change) throws {
        let (start, belongings) = change.start
        let path = NSTemporaryDirectory() + "cairn-root-\(UUID().uuidString).db"
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        let copy = try start.copy()
        let folder = try FolderInMemory(metadata: try Metadata(path: path), disk: copy.disk)
        let entries = try copy.metadata.entries(prefix: "")
        try folder.metadata.transact { transaction in
            for entry in entries { try transaction.put(entry.key, entry.value) }
        }
        let keys = try folder.open(change.old)
        let record = try folder.metadata.entry("keys/root")
        // Whoever holds the database for writing keeps the change out.
        let holder = try Metadata(path: path)
        var failure: (any Error)?
        try holder.transact { _ in
            do { try keys.rotateRoot(to: change.new, scryptRounds: 2) } catch { failure = error }
        }
        let error = try #require(failure)
        if case .rootNotTidied? = error as? KeyError { Issue.record("it is not in force") }
        #expect(try folder.metadata.entry("keys/root") == record)
        try Self.expectOneRoot(change, try folder.copy(), belongings, isChanged: false, "started")
        try belongings.expectOpen(keys, "running")
        try keys.rotateRoot(to: change.new, scryptRounds: 2)
        try Self.expectOneRoot(change, try folder.copy(), belongings, isChanged: true, "changed at last")
    }

    @Test func `takes neither a file that somebody may need nor a short passphrase`() throws {
        let (start, belongings) = Change.fileRenewed.start
        let folder = try start.copy()
        let keys = try folder.open(Change.fileRenewed.old)
        let before = try folder.disk.readAll("d/root.key", limit: 100)
        try folder.disk.replace("d/other.key", with: [1, 2, 3])
        #expect(throws: KeyError.rootFileExists(path: "d/other.key")) {
            try keys.rotateRoot(to: .file("d/other.key"), scryptRounds: 2)
        }
        #expect(try folder.disk.readAll("d/other.key", limit: 100) == [1, 2, 3])
        #expect(throws: KeyError.passphraseTooShort(minimum: 12)) {
            try keys.rotateRoot(to: .passphrase("eleven char"), scryptRounds: 2)
        }
        #expect(throws: KeyError.self) {
            try keys.rotateRoot(
                to: .token(modulePath: "/nowhere/module.so", tokenLabel: "t", keyLabel: "k", pin: "the pin"), scryptRounds: 2)
        }
        #expect(try folder.disk.list("d") == ["other.key", "root.key"])
        #expect(try folder.disk.readAll("d/root.key", limit: 100) == before)
        try belongings.expectOpen(try folder.open(Change.fileRenewed.old), "afterwards")
    }

    @Test func `stops at a key that was damaged, and changes nothing`() throws {
        let (start, _) = Change.fileRenewed.start
        let folder = try start.copy()
        let root = try folder.disk.readAll("d/root.key", limit: 100)
        let versions = try folder.metadata.entries(prefix: "keys/versions/")
        // One sealed version in the place of another: each is bound to its own key.
        let sealed = try versions.compactMap { entry -> (key: String, fields: [String: Any])? in
            let fields = try JSONSerialization.jsonObject(with: Data(entry.value)) as? [String: Any]
            guard let fields, fields["sealed"] != nil else { return nil }
            return (entry.key, fields)
        }
        var changed = sealed[0].fields
        changed["sealed"] = sealed[1].fields["sealed"]
        let bytes = [UInt8](try JSONSerialization.data(withJSONObject: changed))
        try folder.metadata.transact { try $0.put(sealed[0].key, bytes) }
        let keys = try folder.open(Change.fileRenewed.old)
        let before = try folder.metadata.entries(prefix: "keys/")
        for new in [RootOfTrust.file("d/root.key"), .passphrase("the new passphrase")] {
            let error = try #require(throws: KeyError.self) { try keys.rotateRoot(to: new, scryptRounds: 2) }
            guard case .damaged = error else {
                Issue.record("\(error)")
                return
            }
        }
        #expect(try folder.metadata.entries(prefix: "keys/") == before)
        #expect(try folder.disk.readAll("d/root.key", limit: 100) == root)
        _ = try folder.open(Change.fileRenewed.old)
    }
}
