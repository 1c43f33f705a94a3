// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import KeyManagement
import Metadata
import Testing

/// The example of docs/formats/keys.md, made apart from this code: the page and the code agree for as long as version 1 is read.
@Suite struct `The worked example of keys` {
    private let account = "1000000000000001"
    private let region = "cn-hangzhou"
    private let keys: KeyService
    private let page: String

    init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/formats/keys.md"), encoding: .utf8)
        let folder = try FolderInMemory()
        try folder.disk.replace("d/root.key", with: Array(try Self.block("text root.key", of: page).utf8))
        let rows = try Self.block("text rows", of: page).split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1) }
        try folder.metadata.transact { transaction in
            for row in rows { try transaction.put(String(row[0]), Array(row[1].utf8)) }
        }
        keys = try folder.open(.file("d/root.key"))
        self.page = page
    }

    private static func block(_ name: String, of page: String) throws -> String {
        let after = try #require(page.components(separatedBy: "```\(name)\n").dropFirst().first)
        return after.components(separatedBy: "```")[0]
    }

    /// The block ```` ```hex NAME ````: bytes in hex, `;` begins a remark.
    private func bytes(_ name: String) throws -> Data {
        let lines = try Self.block("hex " + name, of: page).split(separator: "\n")
        return Data(lines.flatMap { line in line.prefix { $0 != ";" }.split(separator: " ").map { UInt8($0, radix: 16)! } })
    }

    @Test func `opens a secret of the service`() throws {
        let secret = try keys.serviceKey("history").unseal(try bytes("service"), context: Data("context".utf8))
        #expect(secret == Data("secret".utf8))
    }

    @Test func `unwraps a data key under a customer's key`() throws {
        let key = try keys.customerKey("alias/example", account: account, region: region)
        #expect(key.record.description == "of the page")
        let opened = try key.unwrap(try bytes("wrapped"), context: Data("context".utf8))
        #expect(opened == SymmetricKey(data: Array(UInt8(0x60)...0x7F)))
    }

    @Test func `opens a ciphertext with its context`() throws {
        let context = try EncryptionContext(parsing: #" { "a" : "b" } "#)
        #expect(context.canonical == Array(#"{"a":"b"}"#.utf8))
        let opened = try keys.decrypt(try bytes("ciphertext"), context: context)
        #expect(opened.plaintext == "plaintext")
        #expect(opened.use.keyId == "33333333-3333-4333-8333-333333333333")
        #expect(opened.use.version == "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa")
    }

    @Test func `has contexts in one form`() {
        let context = EncryptionContext(pairs: ["b": "\u{1F}/", "a": "\"\\", "ü": "\n", "Z": ""])
        #expect(String(decoding: context.canonical, as: UTF8.self) == #"{"Z":"","a":"\"\\","b":"\u001f/","ü":"\u000a"}"#)
    }
}
