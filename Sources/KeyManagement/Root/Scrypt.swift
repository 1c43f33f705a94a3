// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import CryptoExtras
import Foundation

/// How a root is derived from a passphrase: RFC 7914. The parameters are stored beside the salt, so that they can grow.
package struct Scrypt: Codable, Sendable, Equatable {
    package static let minimumLength = 12
    /// 128 MiB and some 0.4 s.
    package static let standardRounds = 1 << 17

    let salt: Data
    let rounds: Int
    let blockSize: Int
    let parallelism: Int

    init(rounds: Int) {
        var random = SystemRandomNumberGenerator()
        salt = Data((0..<16).map { _ in UInt8.random(in: 0...255, using: &random) })
        self.rounds = rounds
        blockSize = 8
        parallelism = 1
    }

    /// - Throws: ``KeyError/damaged(key:)`` for stored parameters that would take more than 1 GiB.
    func root(of passphrase: String) throws -> LocalRoot {
        guard rounds > 1, rounds.nonzeroBitCount == 1, rounds <= 1 << 20, 1...8 ~= blockSize, 1...4 ~= parallelism else {
            throw KeyError.damaged(key: "root")
        }
        // Two keyboards may write one letter in two ways.
        var bytes = Data(passphrase.precomposedStringWithCanonicalMapping.utf8)
        defer { bytes.wipe() }
        return LocalRoot(
            try KDF.Scrypt.deriveKey(
                from: bytes, salt: salt, outputByteCount: 32, rounds: rounds, blockSize: blockSize, parallelism: parallelism))
    }
}
