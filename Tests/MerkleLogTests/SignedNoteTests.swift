// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import MerkleLog
import Testing

@Suite struct `A signed note` {
    /// The example of golang.org/x/mod/sumdb/note, which C2SP signed-note grew from.
    static let exampleKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    static let exampleSignature =
        "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    static let example = "This is an example message.\n\n" + exampleSignature

    @Test func `verifies as published`() throws {
        let verifier = try NoteVerifier(verifierKey: Self.exampleKey)
        #expect(verifier.name == "example.com/foo")
        #expect(verifier.keyID == 0x530d_903a)
        #expect(verifier.verifierKey == Self.exampleKey)
        let note = try SignedNote(parsing: Self.example)
        #expect(note.text == "This is an example message.\n")
        #expect(note.encoded == Self.example)
        try verifier.verify(note)
        try verifier.verify(try SignedNote(parsing: Array(Self.example.utf8)))
    }

    @Test func `with any byte of its text changed is condemned`() throws {
        let verifier = try NoteVerifier(verifierKey: Self.exampleKey)
        let bytes = Array(Self.example.utf8)
        for index in 0..<27 {
            var altered = bytes
            altered[index] ^= 1
            let note = try SignedNote(parsing: altered)
            #expect(throws: LogTextError.badSignature(keyName: "example.com/foo")) { try verifier.verify(note) }
        }
    }

    @Test func `with any byte changed never verifies and never traps`() throws {
        let verifier = try NoteVerifier(verifierKey: Self.exampleKey)
        let bytes = Array(Self.example.utf8)
        for index in bytes.indices {
            for value in [0, 0x0A, 0x20, 0x2B, 0x3D, 0xFF, bytes[index] ^ 1] where value != bytes[index] {
                var altered = bytes
                altered[index] = value
                #expect(throws: LogTextError.self) { try verifier.verify(try SignedNote(parsing: altered)) }
            }
            #expect(throws: LogTextError.self) { try SignedNote(parsing: bytes[..<index]) }
        }
    }

    @Test func `is signed and verified by a new key`() throws {
        let signer = try NoteSigner(name: "cairn.example/été", privateKey: Curve25519.Signing.PrivateKey())
        for text in ["a\n", "\n", "\n\n", "a\n\nb\n\n", "— looks like a signature\n", "\n— a AAAAAAA=\n", "Łódź 🪨\n"] {
            let note = try signer.sign(text: text)
            let parsed = try SignedNote(parsing: note.encoded)
            #expect(parsed == note)
            #expect(parsed.text == text)
            try NoteVerifier(verifierKey: signer.verifierKey).verify(parsed)
        }
    }

    @Test func `ignores keys it does not know, even of the same name or id`() throws {
        let signer = try SampleKey.signer()
        let own = try #require(try signer.sign(text: "text\n").signatures.first)
        let sameName = try NoteSignature(name: own.name, keyID: own.keyID ^ 1, signature: [1])
        let sameID = try NoteSignature(name: "other", keyID: own.keyID, signature: [2])
        let note = try SignedNote(text: "text\n", signatures: [sameName, own, sameID])
        try signer.verifier.verify(try SignedNote(parsing: note.encoded))

        let stranger = try SignedNote(text: "text\n", signatures: [sameName, sameID])
        #expect(throws: LogTextError.notSigned(keyName: signer.name)) { try signer.verifier.verify(stranger) }
    }

    @Test func `is condemned by one bad signature of a known key, wherever it stands`() throws {
        let signer = try SampleKey.signer()
        let own = try #require(try signer.sign(text: "text\n").signatures.first)
        let bad = try NoteSignature(name: own.name, keyID: own.keyID, signature: own.signature.reversed())
        let short = try NoteSignature(name: own.name, keyID: own.keyID, signature: [0])
        for signatures in [[own, bad], [bad, own], [own, short], [bad]] {
            let note = try SignedNote(text: "text\n", signatures: signatures)
            #expect(throws: LogTextError.badSignature(keyName: signer.name)) { try signer.verifier.verify(note) }
        }
        try signer.verifier.verify(try SignedNote(text: "text\n", signatures: [own, own]))
    }

    @Test func `does not take one spelling of a name for another`() throws {
        let composed = try SampleKey.signer(name: "caf\u{E9}")
        let own = try #require(try composed.sign(text: "text\n").signatures.first)
        let decomposed = try NoteSignature(name: "cafe\u{301}", keyID: own.keyID, signature: own.signature)
        let note = try SignedNote(text: "text\n", signatures: [decomposed])
        #expect(throws: LogTextError.notSigned(keyName: "caf\u{E9}")) { try composed.verifier.verify(note) }
    }

    @Test(arguments: [
        "", "\n", "\n\n", "text", "text\n", "text\n\n", "text\n\n\n", "text\n\n— a AAAAAAA=",
        "text\n\n— a AAAAAAA=\n\n",
        "text\n— a AAAAAAA=\n", "\n— a AAAAAAA=\n", "text\n\n- a AAAAAAA=\n", "text\n\n—a AAAAAAA=\n",
        "text\n\n—  AAAAAAA=\n",
        "text\n\n— a\n", "text\n\n— a \n", "text\n\n— a+b AAAAAAA=\n", "text\n\n— a\u{A0}b AAAAAAA=\n",
        "text\n\n— a b AAAAAAA=\n",
        "text\n\n— a\u{2003}b AAAAAAA=\n", "text\n\n— a AAAAAA==\n", "text\n\n— a AAAAAAB=\n", "text\n\n— a AAAAAAA\n",
        "text\n\n— a AAAAAAA= \n", "text\n\n— a  AAAAAAA=\n", "text\r\n\n— a AAAAAAA=\n", "text\n\r\n— a AAAAAAA=\r\n",
        "te\txt\n\n— a AAAAAAA=\n", "te\0xt\n\n— a AAAAAAA=\n", "text\n\n— a AAAAAAA=\ntext\n",
    ]) func `is refused in any other form`(text: String) {
        #expect(throws: LogTextError.self) { try SignedNote(parsing: text) }
        #expect(throws: LogTextError.self) { try SignedNote(parsing: Array(text.utf8)) }
    }

    @Test func `is refused when it is not UTF-8`() {
        for bad: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x80]] {
            #expect(throws: LogTextError.malformed(.note, reason: "it is not UTF-8")) {
                try SignedNote(parsing: bad + Array("\n\n— a AAAAAAA=\n".utf8))
            }
        }
    }

    @Test func `has bounds for its size and its signatures`() throws {
        let signature = try NoteSignature(name: "a", keyID: 0, signature: [1])
        let many = [NoteSignature](repeating: signature, count: 64)
        #expect(try SignedNote(parsing: SignedNote(text: "x\n", signatures: many).encoded).signatures.count == 64)
        #expect(throws: LogTextError.self) { try SignedNote(text: "x\n", signatures: many + [signature]) }
        #expect(throws: LogTextError.self) { try SignedNote(text: "x\n", signatures: []) }
        let lines = String(repeating: "— a AAAAAAE=\n", count: 65)
        #expect(throws: LogTextError.self) { try SignedNote(parsing: "x\n\n" + lines) }
        let long = String(repeating: "x", count: 65_536) + "\n\n— a AAAAAAE=\n"
        #expect(throws: LogTextError.tooLarge(.note, limit: 65_536)) { try SignedNote(parsing: long) }
        #expect(throws: LogTextError.tooLarge(.note, limit: 65_536)) { try SignedNote(parsing: Array(long.utf8)) }
        #expect(throws: LogTextError.tooLarge(.note, limit: 65_536)) {
            try SignedNote(text: String(repeating: "x", count: 65_536) + "\n", signatures: [signature])
        }
    }
}

@Suite struct `A verifier key` {
    @Test func `survives being written`() throws {
        // Among 64 keys some have ids that begin with zeros and base64 with plus signs.
        for seed in UInt8(0)..<64 {
            let signer = try SampleKey.signer(seed: seed)
            let verifier = try NoteVerifier(verifierKey: signer.verifierKey)
            #expect(verifier.verifierKey == signer.verifierKey)
            #expect(verifier.keyID == signer.verifier.keyID)
        }
    }

    @Test(arguments: [
        "", "+", "++", "example.com/foo", "example.com/foo+530d903a",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+0530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2kAA==",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
        "example .com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+", "example.com/foo++AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ]) func `is refused in any other form`(text: String) {
        #expect(throws: LogTextError.self) { try NoteVerifier(verifierKey: text) }
    }

    @Test(arguments: ["", " ", "a b", "a+b", "a\nb", "a\u{85}b", "a\u{3000}b", "a\0"])
    func `has no name that a note could not carry`(name: String) {
        #expect(throws: LogTextError.self) { try SampleKey.signer(name: name) }
    }
}
