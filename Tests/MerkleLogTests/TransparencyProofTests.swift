// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import MerkleLog
import Testing

@Suite struct `A transparency proof` {
    private let tree = SampleTree(size: 23)
    private let signer: NoteSigner
    private let checkpoint: SignedNote

    init() throws {
        signer = try SampleKey.signer()
        checkpoint = try Checkpoint(origin: SampleKey.origin, size: tree.size, root: tree.root).signed(by: signer)
    }

    private func proof(of index: UInt64, extra: [UInt8] = []) throws -> TransparencyProof {
        let path = try MerkleTree.inclusionProof(index: index, size: tree.size, reader: tree.read)
        return try TransparencyProof(extra: extra, index: index, path: path, checkpoint: checkpoint)
    }

    @Test func `survives being written, and holds for its leaf alone`() throws {
        let verifier = try NoteVerifier(verifierKey: signer.verifierKey)
        for index in 0..<tree.size {
            for extra: [UInt8] in [[], [0], Array("age-v1.2.1".utf8)] {
                let made = try proof(of: index, extra: extra)
                let read = try TransparencyProof(parsing: Array(made.encoded.utf8))
                #expect(read == made)
                #expect(read.encoded == made.encoded)
                #expect(try TransparencyProof(parsing: made.encoded) == made)
                for (other, leaf) in tree.leaves.enumerated() {
                    #expect(read.verify(leafHash: leaf, verifier: verifier).isValid == (other == index))
                }
            }
        }
    }

    @Test func `looks as the specification shows it`() throws {
        let lines = try proof(of: 22, extra: [1, 2, 3]).encoded.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0...2] == ["c2sp.org/tlog-proof@v1", "extra AQID", "index 22"])
        #expect(lines[3..<6].allSatisfy { $0.utf8.count == 44 })
        #expect(lines[6...8] == ["", "cairn.example/trail", "23"])
        #expect(lines[9] == tree.root.base64)
        #expect(lines[10].isEmpty && lines[11].hasPrefix("— cairn.example/trail "))
        #expect(lines[12].isEmpty && lines.count == 13)
    }

    @Test func `is refused with the reason when the log or the key is another`() throws {
        let made = try proof(of: 4)
        let leaf = tree.leaves[4]
        let stranger = try SampleKey.signer(seed: 9).verifier
        #expect(
            made.verify(leafHash: leaf, verifier: stranger)
                == .refused(reason: "The note has no signature by the key cairn.example/trail."))
        #expect(!made.verify(leafHash: leaf, verifier: signer.verifier, origin: "another.example").isValid)
        #expect(made.verify(leafHash: leaf, verifier: signer.verifier, origin: SampleKey.origin) == .valid)
        let verdict = made.verify(leafHash: leaf.flipped(), verifier: signer.verifier)
        #expect(verdict.description == "refused: the proof leads to another root than that of the tree")
    }

    @Test func `with any byte changed never holds and never traps`() throws {
        let made = try proof(of: 22)
        let bytes = Array(made.encoded.utf8)
        for index in bytes.indices {
            for value in [0, 0x0A, 0x20, 0x30, 0xFF, bytes[index] ^ 1] where value != bytes[index] {
                var altered = bytes
                altered[index] = value
                guard let read = try? TransparencyProof(parsing: altered) else { continue }
                #expect(!read.verify(leafHash: tree.leaves[22], verifier: signer.verifier).isValid)
            }
            #expect(throws: LogTextError.self) { try TransparencyProof(parsing: bytes[..<index]) }
        }
    }

    @Test(arguments: [
        "", "\n", "c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v2\nindex 1\n\nNOTE",
        "\nc2sp.org/tlog-proof@v1\nindex 1\n\nNOTE", "c2sp.org/tlog-proof@v1\r\nindex 1\r\n\r\nNOTE",
        "c2sp.org/tlog-proof@v1\n\nNOTE", "c2sp.org/tlog-proof@v1\nindex\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nindex \n\nNOTE",
        "c2sp.org/tlog-proof@v1\nindex 01\n\nNOTE", "c2sp.org/tlog-proof@v1\nindex -1\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nindex  1\n\nNOTE", "c2sp.org/tlog-proof@v1\nindex 18446744073709551616\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nindex 1\nNOTE", "c2sp.org/tlog-proof@v1\nindex 1\n\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nindex 1\n\n",
        "c2sp.org/tlog-proof@v1\nindex 1\nindex 1\n\nNOTE", "c2sp.org/tlog-proof@v1\nindex 1\nextra AQID\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nextra AQID\nextra AQID\nindex 1\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nextra \nindex 1\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nextra\nindex 1\n\nNOTE", "c2sp.org/tlog-proof@v1\nextra AQI\nindex 1\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nextra A Q=\nindex 1\n\nNOTE", "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nindex 1\n\nNOTENOTE", "c2sp.org/tlog-proof@v1\nindex 1\n\nNOTE\n",
    ]) func `is refused in any other form`(template: String) {
        let parts = template.split(separator: "NOTE", omittingEmptySubsequences: false)
        let text = parts.joined(separator: checkpoint.encoded)
        #expect(throws: LogTextError.self) { try TransparencyProof(parsing: text) }
    }

    @Test func `has bounds for its path, its size and its note`() throws {
        let hashes = [MerkleHash](repeating: tree.root, count: 65)
        #expect(throws: LogTextError.self) { try TransparencyProof(index: 0, path: hashes, checkpoint: checkpoint) }
        _ = try TransparencyProof(index: 0, path: Array(hashes.dropLast()), checkpoint: checkpoint)
        let long = "c2sp.org/tlog-proof@v1\nindex 0\n" + String(repeating: "\(tree.root.base64)\n", count: 65)
        #expect(throws: LogTextError.malformed(.proof, reason: "its path has more than 64 hashes")) {
            try TransparencyProof(parsing: long + "\n" + checkpoint.encoded)
        }
        let limit = TransparencyProof.maximumByteCount
        #expect(throws: LogTextError.tooLarge(.proof, limit: limit)) {
            try TransparencyProof(parsing: [UInt8](repeating: 0x41, count: limit + 1))
        }
        #expect(throws: LogTextError.tooLarge(.proof, limit: limit)) {
            try TransparencyProof(extra: .init(repeating: 0, count: limit), index: 0, path: [], checkpoint: checkpoint)
        }
        #expect(throws: LogTextError.self) {
            try TransparencyProof(index: 0, path: [], checkpoint: signer.sign(text: "not a checkpoint\n"))
        }
    }
}
