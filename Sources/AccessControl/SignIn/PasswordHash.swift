// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import CryptoExtras
import Foundation

/// What is kept of a password: a salted scrypt hash (RFC 7914).
struct PasswordHash: Codable, Sendable, Hashable {
    /// 16 MiB and some 50 ms.
    static let standardRounds = 1 << 14

    private let salt: Data
    private let rounds: Int
    private let hash: Data

    init(_ password: Secret, rounds: Int) throws {
        var random = SystemRandomNumberGenerator()
        salt = Data((0..<16).map { _ in UInt8.random(in: 0...255, using: &random) })
        self.rounds = rounds
        hash = try Self.derive(password, salt: salt, rounds: rounds)
    }

    /// - Throws: ``DirectoryError/damaged(_:)`` for stored rounds that would take more than 128 MiB.
    func matches(_ password: Secret) throws -> Bool {
        guard rounds > 1, rounds.nonzeroBitCount == 1, rounds <= 1 << 17 else { throw DirectoryError.damaged("password") }
        return ConstantTime.equal(hash, try Self.derive(password, salt: salt, rounds: rounds))
    }

    private static func derive(_ password: Secret, salt: Data, rounds: Int) throws -> Data {
        // Two keyboards may write one letter in two ways.
        let text = Data(password.reveal().precomposedStringWithCanonicalMapping.utf8)
        return try KDF.Scrypt.deriveKey(
            from: text, salt: salt, outputByteCount: 32, rounds: rounds, blockSize: 8, parallelism: 1
        ).withUnsafeBytes { Data($0) }
    }
}
