// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import MerkleLog
import ObjectStorage
import Testing

extension Fuzzing {
    @Suite struct `A text of the log` {
        @Test func `has one spelling in each of its forms`() async throws {
            try await Fuzzer(name: "log-text", kind: .text, made: Self.made(), tries: 6000).run { try Self.check($0) }
        }

        private static func signer() throws -> NoteSigner {
            try NoteSigner(
                name: "cairn-log/fuzz",
                privateKey: Curve25519.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: 7, count: 32)))
        }

        private static func made() throws -> [[UInt8]] {
            let signer = try signer()
            let leaf = MerkleTree.leafHash(entry: Array("an entry".utf8))
            let checkpoint = try Checkpoint(origin: signer.name, size: 1, root: leaf)
            let larger = try Checkpoint(origin: signer.name, size: .max, root: leaf, extensions: ["more", "é"])
            let notes = [try checkpoint.signed(by: signer), try larger.signed(by: signer)]
            let proofs = try notes.map { note in
                try TransparencyProof(extra: [1, 2, 3], index: 0, path: [leaf, leaf], checkpoint: note).encoded
            }
            let texts = [signer.verifierKey, checkpoint.text, larger.text, leaf.base64] + notes.map(\.encoded) + proofs
            return texts.map { Array($0.utf8) }
        }

        private static func check(_ input: [UInt8]) throws -> String {
            var taken: [String] = []
            func expectSame(_ text: String, _ form: String) throws {
                try demand(Array(text.utf8) == input, "a \(form) is not written as it was read")
                taken.append(form)
            }
            let verifier = try signer().verifier
            if let note = try unlessRefused(LogTextError.self, { try SignedNote(parsing: input) }) {
                try expectSame(note.encoded, "note")
                if let checkpoint = try unlessRefused(LogTextError.self, { try Checkpoint(text: note.text) }) {
                    try demand(checkpoint.text == note.text, "a note's checkpoint is not written as it was read")
                }
                let isSigned = try unlessRefused(LogTextError.self) { try verifier.verify(note) } != nil
                taken.append("\(note.signatures.count) \(isSigned)")
            }
            if let proof = try unlessRefused(LogTextError.self, { try TransparencyProof(parsing: input) }) {
                try expectSame(proof.encoded, "proof")
                let leaf = MerkleTree.leafHash(entry: Array("an entry".utf8))
                taken.append("\(proof.verify(leafHash: leaf, verifier: verifier).isValid)")
            }
            guard let text = String(validating: input, as: UTF8.self) else { return taken.joined(separator: " ") }
            if let checkpoint = try unlessRefused(LogTextError.self, { try Checkpoint(text: text) }) {
                try expectSame(checkpoint.text, "checkpoint")
            }
            if let key = try unlessRefused(LogTextError.self, { try NoteVerifier(verifierKey: text) }) {
                try expectSame(key.verifierKey, "verifier key")
            }
            if let hash = MerkleHash(base64: text) { try expectSame(hash.base64, "hash") }
            if let path = TilePath(path: text) {
                try expectSame(path.path, "tile path")
                for size in [0, 1, 255, 256, 65_536, .max] as [UInt64] { taken.append("\(path.exists(inTreeOfSize: size))") }
            }
            return taken.joined(separator: " ")
        }

        @Test func `is found in the answers of object stores without a trap`() async throws {
            try await Fuzzer(name: "xml-scan", kind: .text, tries: 6000).run { input in
                let text = String(decoding: input, as: UTF8.self)
                let found = XMLScan.elements("Key", in: text)
                try demand(found.allSatisfy { $0.utf8.count < text.utf8.count }, "an element is no part of the text")
                try demand(
                    (XMLScan.first("Key", in: text) == nil) == found.isEmpty, "the first element is there if there are elements")
                return "\(min(found.count, 4)) \(XMLScan.first("Code", in: text) != nil)"
            }
        }
    }
}
