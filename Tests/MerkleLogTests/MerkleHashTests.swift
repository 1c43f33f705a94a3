// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import MerkleLog
import TestSupport
import Testing

@Suite struct `A Merkle hash` {
    @Test func `keeps its 32 bytes in order`() throws {
        let bytes = (0..<32).map { UInt8($0) }
        let hash = try #require(MerkleHash(bytes: bytes))
        #expect(hash.bytes == bytes)
        #expect(hash.withUnsafeBytes { Array($0) } == bytes)
        #expect(MerkleHash(bytes: (0..<32).lazy.map { UInt8($0) }) == hash)
        #expect(hash.description == "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
        #expect(MemoryLayout<MerkleHash>.size == 32)
    }

    @Test func `has the bytes of the digest it was made of`() {
        let digest = SHA256.hash(data: [1, 2, 3] as [UInt8])
        #expect(MerkleHash(digest).bytes == Array(digest))
    }

    @Test(arguments: [0, 1, 31, 33, 64]) func `refuses another count of bytes`(count: Int) {
        #expect(MerkleHash(bytes: [UInt8](repeating: 0, count: count)) == nil)
    }

    @Test func `survives base64`() {
        var random = SeededGenerator(state: 1)
        for _ in 0..<100 {
            let hash = MerkleHash(bytes: (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })!
            #expect(MerkleHash(base64: hash.base64) == hash)
        }
    }

    @Test(arguments: [
        "", "AAAA",
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I",  // no padding
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=",  // unused bits set
        "CsUYapGGPo4dkMgIAUqom_Xajj7h2fB2MPA3j2jxq2I=",  // the alphabet for URLs
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2==",
        "CsUYapGGPo4dkMgI=Uqom/Xajj7h2fB2MPA3j2jxq2I=",
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxé2I=",
    ]) func `refuses other base64`(text: String) {
        #expect(MerkleHash(base64: text) == nil)
    }
}
