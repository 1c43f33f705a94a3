// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import MerkleLog

struct OutsideTree: Error {}

/// Distinct leaf hashes, and a reader that refuses any subtree not complete within `size` leaves.
struct SampleTree {
    let leaves: [MerkleHash]

    init(size: Int) {
        leaves = (0..<size).map { MerkleTree.leafHash(entry: [UInt8("\($0)".utf8.first!), UInt8($0)]) }
    }

    var size: UInt64 { UInt64(leaves.count) }
    var root: MerkleHash { NaiveTree.root(leaves[...]) }

    func prefix(_ count: Int) -> SampleTree { SampleTree(size: count) }

    func read(level: Int, index: UInt64) throws -> MerkleHash {
        let first = Int(index) << level
        let end = first + (1 << level)
        guard end <= leaves.count else { throw OutsideTree() }
        return NaiveTree.root(leaves[first..<end])
    }
}

extension MerkleHash {
    /// The same hash with one bit turned.
    func flipped(bit: Int = 0) -> MerkleHash {
        var bytes = bytes
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        return MerkleHash(bytes: bytes)!
    }
}

/// Every way to damage a proof by one step: each hash altered, dropped or doubled, each neighbour pair swapped, and
/// one hash too many at either end.
func damaged(_ proof: [MerkleHash], extra: MerkleHash) -> [[MerkleHash]] {
    var results = [proof + [extra], [extra] + proof]
    for index in proof.indices {
        var altered = proof
        altered[index] = altered[index].flipped(bit: (index * 37) % 256)
        var shorter = proof
        shorter.remove(at: index)
        var longer = proof
        longer.insert(proof[index], at: index)
        results += [altered, shorter, longer]
        if index > 0 {
            var swapped = proof
            swapped.swapAt(index - 1, index)
            results.append(swapped)
        }
    }
    return results
}

enum SampleKey {
    static let origin = "cairn.example/trail"

    static func signer(name: String = origin, seed: UInt8 = 7) throws -> NoteSigner {
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: seed, count: 32))
        return try NoteSigner(name: name, privateKey: key)
    }
}
