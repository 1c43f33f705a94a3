// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import MerkleLog
import Testing

/// - Source: github.com/transparency-dev/merkle, testdata. A hash there that is not 32 bytes long cannot become a
///   `MerkleHash`, and that is how this module refuses it.
@Suite(.enabled(if: SharedVectors.areHere, "shared/data/merkle is not beside the package; set CAIRN_SHARED to it"))
struct `The proof vectors of transparency-dev` {
    struct Inclusion: Decodable, Sendable {
        let leafIdx, treeSize: UInt64
        let root, leafHash: String
        let proof: [String]?
        let wantErr: Bool
    }

    struct Consistency: Decodable, Sendable {
        let size1, size2: UInt64
        let root1, root2: String
        let proof: [String]?
        let wantErr: Bool
    }

    @Test func `for inclusion are judged as they say`() {
        let vectors = SharedVectors.load("inclusion", as: Inclusion.self)
        for (name, vector) in vectors {
            let proof = (vector.proof ?? []).map { MerkleHash(base64: $0) }
            var verdict = ProofVerdict.refused(reason: "a hash is not of 32 bytes")
            if let leaf = MerkleHash(base64: vector.leafHash), let root = MerkleHash(base64: vector.root),
                !proof.contains(nil)
            {
                verdict = MerkleTree.verifyInclusion(
                    leafHash: leaf, index: vector.leafIdx, size: vector.treeSize, proof: proof.compactMap { $0 },
                    root: root)
            }
            #expect(verdict.isValid == !vector.wantErr, "\(name): \(verdict)")
        }
        #expect(vectors.count >= 53, "of the 53 known vectors some could not be read")
    }

    @Test func `for consistency are judged as they say`() {
        let vectors = SharedVectors.load("consistency", as: Consistency.self)
        for (name, vector) in vectors {
            let proof = (vector.proof ?? []).map { MerkleHash(base64: $0) }
            var verdict = ProofVerdict.refused(reason: "a hash is not of 32 bytes")
            if let from = MerkleHash(base64: vector.root1), let to = MerkleHash(base64: vector.root2),
                !proof.contains(nil)
            {
                verdict = MerkleTree.verifyConsistency(
                    from: vector.size1, to: vector.size2, proof: proof.compactMap { $0 }, fromRoot: from, toRoot: to)
            }
            #expect(verdict.isValid == !vector.wantErr, "\(name): \(verdict)")
        }
        #expect(vectors.count >= 43, "of the 43 known vectors some could not be read")
    }
}
