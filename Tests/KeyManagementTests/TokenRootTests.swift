// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import KeyManagement
import Metadata
import Testing

/// Tokens of SoftHSM 2 in a temporary folder. The module reads its settings and tokens once in a process, when it is first
/// used: all of them are made before.
private enum SoftHSM {
    static let pin = "4711-0815"
    static let wrongPIN = "1234-5678"
    static let module = [
        "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so",
        "/opt/homebrew/lib/softhsm/libsofthsm2.so",
    ].first { FileManager.default.fileExists(atPath: $0) }

    static var isInstalled: Bool { module != nil && tool != nil }

    private static let tool = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { $0 + "/softhsm2-util" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    private static let folder = NSTemporaryDirectory() + "cairn-tokens-\(UUID().uuidString)"
    private static let preparation = Result { try makeTokens() }

    struct Failed: Error {
        var arguments: [String]
    }

    /// Token `audit` with the AES keys kek and next, `other` and `pins` with a kek each.
    static func prepare() throws { try preparation.get() }

    private static func makeTokens() throws {
        let configuration = folder + "/softhsm2.conf"
        try FileManager.default.createDirectory(atPath: folder + "/tokens", withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: SoftHSM.folder) }
        let settings = """
            directories.tokendir = \(folder)/tokens
            objectstore.backend = file
            log.level = ERROR
            slots.removable = false

            """
        try Data(settings.utf8).write(to: URL(fileURLWithPath: configuration))
        setenv("SOFTHSM2_CONF", configuration, 1)
        for (token, keys) in [("audit", ["kek", "next"]), ("other", ["kek"]), ("pins", ["kek"])] {
            try run(["--init-token", "--free", "--label", token, "--so-pin", "87654321", "--pin", pin], configuration)
            for (number, key) in keys.enumerated() {
                let file = folder + "/material"
                // The tool reads a key up to the first zero or line end, and no AES takes what is left: letters and digits are safe.
                let material = Data((0..<32).map { _ in "0123456789abcdefghijklmnopqrstuvwxyz".utf8.randomElement()! })
                try material.write(to: URL(fileURLWithPath: file))
                try run(
                    ["--import", file, "--aes", "--token", token, "--pin", pin, "--label", key, "--id", "0\(number + 1)"],
                    configuration)
                try FileManager.default.removeItem(atPath: file)
            }
        }
    }

    private static func run(_ arguments: [String], _ configuration: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: tool ?? "")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["SOFTHSM2_CONF": configuration]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(arguments: arguments) }
    }
}

@Suite(.serialized, .enabled(if: SoftHSM.isInstalled, "softhsm2-util or libsofthsm2.so is not installed"))
struct `A root on a token` {
    init() throws { try SoftHSM.prepare() }

    private static func root(
        _ key: String = "kek", token: String = "audit", pin: String = SoftHSM.pin, module: String? = SoftHSM.module
    ) -> RootOfTrust {
        .token(modulePath: module ?? "", tokenLabel: token, keyLabel: key, pin: pin)
    }

    /// Why a service does not start with the root.
    private static func refusal(_ folder: FolderInMemory, _ root: RootOfTrust) throws -> KeyError {
        try #require(throws: KeyError.self) { try folder.open(root) }
    }

    @Test func `opens everything again after a start`() throws {
        let folder = try FolderInMemory()
        let belongings = try Belongings(in: folder, under: Self.root())
        for round in 1...2 { try belongings.expectOpen(try folder.open(Self.root()), "start \(round)") }
        #expect(try folder.open(Self.root()).rootOfTrust == "token")
        #expect(try folder.disk.list("d") == [])
        for entry in try folder.metadata.entries(prefix: "") {
            #expect(!String(decoding: entry.value, as: UTF8.self).contains(SoftHSM.pin), "\(entry.key)")
        }
    }

    @Test func `refuses a wrong PIN, and does not tell it`() throws {
        func expectRefused(_ folder: FolderInMemory) throws {
            let error = try Self.refusal(folder, Self.root(token: "pins", pin: SoftHSM.wrongPIN))
            guard case .token(let reason) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(reason.contains("the PIN is wrong"))
            for text in ["\(error)", String(reflecting: error)] {
                #expect(!text.contains(SoftHSM.wrongPIN) && !text.contains(SoftHSM.pin))
            }
        }
        // A function of its own: what it opens is closed when it returns, and the session with it.
        func seal(in folder: FolderInMemory) throws -> [UInt8] {
            try folder.open(Self.root(token: "pins")).serviceKey("history").seal(Data("secret".utf8), context: Data())
        }
        func unseal(_ sealed: [UInt8], in folder: FolderInMemory) throws -> Data {
            try folder.open(Self.root(token: "pins")).serviceKey("history").unseal(sealed, context: Data())
        }
        let folder = try FolderInMemory()
        try expectRefused(folder)
        #expect(try folder.metadata.entries(prefix: "keys/").isEmpty)
        let sealed = try seal(in: folder)
        try expectRefused(folder)
        #expect(try unseal(sealed, in: folder) == Data("secret".utf8))
    }

    @Test func `says nothing of its PIN, however it is printed`() {
        let root = Self.root()
        var dumped = ""
        dump(root, to: &dumped)
        for text in ["\(root)", String(reflecting: root), dumped] { #expect(!text.contains(SoftHSM.pin), "\(text)") }
    }

    @Test func `says what is missing`() throws {
        let folder = try FolderInMemory()
        for (root, text) in [
            (Self.root("none"), "no AES key with the label `none`"), (Self.root(token: "none"), "no token with the label `none`"),
            (Self.root(module: "/nowhere/module.so"), "`/nowhere/module.so` cannot be loaded"),
            (Self.root(token: "pins", pin: "1"), "PIN"),
        ] {
            let error = try Self.refusal(folder, root)
            guard case .token(let reason) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(reason.contains(text), "\(reason)")
        }
        #expect(try folder.metadata.entries(prefix: "keys/").isEmpty)
    }

    @Test func `is not taken for another one`() throws {
        let folder = try FolderInMemory()
        let belongings = try Belongings(in: folder, under: Self.root())
        for other in [Self.root("next"), Self.root(token: "other")] {
            #expect(try Self.refusal(folder, other) == .wrongRoot(kind: "\(other)"))
        }
        #expect(try Self.refusal(folder, .file("d/root.key")) == .otherRoot(stored: "token", given: "file"))
        #expect(
            try Self.refusal(folder, .passphrase("a long passphrase")) == .otherRoot(stored: "token", given: "passphrase"))
        #expect(try folder.disk.list("d") == [])
        try belongings.expectOpen(try folder.open(Self.root()), "afterwards")
    }

    @Test func `finds a key that was changed`() throws {
        let folder = try FolderInMemory()
        _ = try folder.open(Self.root()).serviceKey("history")
        let entry = try #require(try folder.metadata.entries(prefix: "keys/versions/").first)
        var fields = try #require(try JSONSerialization.jsonObject(with: Data(entry.value)) as? [String: Any])
        var sealed = try #require((fields["sealed"] as? String).flatMap { Data(base64Encoded: $0) })
        #expect(sealed.count == 12 + 32 + 16)
        for offset in sealed.indices {
            sealed[offset] ^= 1
            fields["sealed"] = sealed.base64EncodedString()
            let bytes = [UInt8](try JSONSerialization.data(withJSONObject: fields))
            try folder.metadata.transact { try $0.put(entry.key, bytes) }
            #expect(throws: KeyError.damaged(key: "history"), "byte \(offset)") {
                try folder.open(Self.root()).serviceKey("history")
            }
            sealed[offset] ^= 1
        }
    }

    @Test func `takes over from a file, hands on to another key and back to a file`() throws {
        let file = RootOfTrust.file("d/root.key")
        let folder = try FolderInMemory()
        let belongings = try Belongings(in: folder, under: file)
        let before = try folder.disk.readAll("d/root.key", limit: 100)
        let steps: [(old: RootOfTrust, new: RootOfTrust)] = [
            (file, Self.root()), (Self.root(), Self.root("next")), (Self.root("next"), file),
        ]
        for (number, step) in steps.enumerated() {
            let keys = try folder.open(step.old)
            try keys.rotateRoot(to: step.new)
            try belongings.expectOpen(keys, "step \(number), running")
            let expected: [KeyError] = [
                .otherRoot(stored: "token", given: "file"), .wrongRoot(kind: "\(step.old)"),
                .otherRoot(stored: "file", given: "token"),
            ]
            #expect(try Self.refusal(folder, step.old) == expected[number])
            try belongings.expectOpen(try folder.open(step.new), "step \(number), started")
            #expect(try folder.disk.list("d") == (number < 2 ? [] : ["root.key"]))
        }
        #expect(try folder.disk.readAll("d/root.key", limit: 100) != before)
    }

    @Test func `leaves the file in force when the token refuses`() throws {
        let file = RootOfTrust.file("d/root.key")
        let folder = try FolderInMemory()
        let belongings = try Belongings(in: folder, under: file)
        let before = try folder.disk.readAll("d/root.key", limit: 100)
        let keys = try folder.open(file)
        for root in [Self.root("none"), Self.root(token: "pins", pin: SoftHSM.wrongPIN), Self.root(token: "none")] {
            #expect(throws: KeyError.self) { try keys.rotateRoot(to: root) }
        }
        #expect(try folder.disk.readAll("d/root.key", limit: 100) == before)
        try belongings.expectOpen(keys, "running")
        try belongings.expectOpen(try folder.open(file), "started")
    }
}
