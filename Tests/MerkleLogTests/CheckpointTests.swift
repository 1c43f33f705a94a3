// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import MerkleLog
import Testing

@Suite struct `A checkpoint` {
    /// The text of the example in C2SP tlog-checkpoint.
    static let example = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

    @Test func `is read from the published example and written back`() throws {
        let checkpoint = try Checkpoint(text: Self.example)
        #expect(checkpoint.origin == "example.com/behind-the-sofa")
        #expect(checkpoint.size == 20_852_163)
        #expect(checkpoint.root.base64 == "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
        #expect(checkpoint.extensions.isEmpty)
        #expect(checkpoint.text == Self.example)
    }

    @Test(
        arguments: [
            (0, []), (1, ["one line"]), (UInt64.max, ["a", "b b", "—"]),
        ] as [(UInt64, [String])])
    func `survives signing`(size: UInt64, extensions: [String]) throws {
        let signer = try SampleKey.signer()
        let checkpoint = try Checkpoint(
            origin: SampleKey.origin, size: size, root: MerkleTree.emptyRoot, extensions: extensions)
        #expect(try Checkpoint(text: checkpoint.text) == checkpoint)
        let note = try checkpoint.signed(by: signer)
        let read = try Checkpoint(verifying: note.encoded, with: signer.verifier, origin: SampleKey.origin)
        #expect(read == checkpoint)
        #expect(read.extensions == extensions)
    }

    @Test(arguments: [
        "", "\n", "o\n", "o\n1\n", "o\n1\nROOT", "\n1\nROOT\n", "o\n\nROOT\n", "o\n1\n\n", "o\n1\nROOT\n\n",
        "o\n1\nROOT\next",
        "o\n1\nROOT\next\n\n", "o\n1\nROOT\n\next\n", "o\n01\nROOT\n", "o\n00\nROOT\n", "o\n-1\nROOT\n",
        "o\n+1\nROOT\n",
        "o\n 1\nROOT\n", "o\n1 \nROOT\n", "o\n0x1\nROOT\n", "o\n18446744073709551616\nROOT\n",
        "o\n99999999999999999999\nROOT\n",
        "o\n100000000000000000000\nROOT\n", "o\n١\nROOT\n", "o\n1\nROOTROOT\n", "o\n1\n ROOT\n", "o\n1\nAAAA\n",
        "o\r\n1\r\nROOT\r\n",
        "o\n1\nROOT\ne\tx\n", "o\n1\nROOT\r\n", "o\0\n1\nROOT\n",
    ]) func `is refused in any other form`(template: String) {
        let parts = template.split(separator: "ROOT", omittingEmptySubsequences: false)
        let text = parts.joined(separator: MerkleTree.emptyRoot.base64)
        #expect(throws: LogTextError.self) { try Checkpoint(text: text) }
    }

    @Test func `is never made in a form that reads as another`() {
        let root = MerkleTree.emptyRoot
        for origin in ["", "evil\n999", "a\r", "a\0"] {
            #expect(throws: LogTextError.self) { try Checkpoint(origin: origin, size: 1, root: root) }
        }
        for line in ["", "a\nb", "a\n", "\u{1F}"] {
            #expect(throws: LogTextError.self) { try Checkpoint(origin: "o", size: 1, root: root, extensions: [line]) }
        }
        #expect(throws: LogTextError.tooLarge(.checkpoint, limit: 65_536)) {
            try Checkpoint(origin: String(repeating: "o", count: 65_536), size: 1, root: root)
        }
    }

    @Test func `is of one log and one key`() throws {
        let signer = try SampleKey.signer()
        let checkpoint = try Checkpoint(origin: SampleKey.origin, size: 3, root: MerkleTree.emptyRoot)
        let note = try checkpoint.signed(by: signer).encoded
        #expect(throws: LogTextError.wrongOrigin(expected: "another.example", found: SampleKey.origin)) {
            try Checkpoint(verifying: note, with: signer.verifier, origin: "another.example")
        }
        #expect(throws: LogTextError.notSigned(keyName: SampleKey.origin)) {
            try Checkpoint(verifying: note, with: SampleKey.signer(seed: 8).verifier, origin: SampleKey.origin)
        }
        #expect(throws: LogTextError.wrongOrigin(expected: "another.example", found: SampleKey.origin)) {
            try checkpoint.signed(by: SampleKey.signer(name: "another.example"))
        }
    }

    @Test func `is refused when a valid note holds something else`() throws {
        let signer = try SampleKey.signer()
        let note = try signer.sign(text: "not a checkpoint\n").encoded
        #expect(throws: LogTextError.self) {
            try Checkpoint(verifying: note, with: signer.verifier, origin: SampleKey.origin)
        }
    }
}
