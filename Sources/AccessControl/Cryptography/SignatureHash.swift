// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto

/// The hashes that signatures are made with.
package enum SignatureHash: Sendable {
    /// Only inside HMAC, where its collisions do not matter; the old SDKs know nothing better.
    case sha1
    case sha256
    case sm3

    package func digest(_ message: [UInt8]) -> [UInt8] {
        switch self {
        case .sha1: Array(Insecure.SHA1.hash(data: message))
        case .sha256: Array(SHA256.hash(data: message))
        case .sm3: SM3.hash(message)
        }
    }

    package func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        switch self {
        case .sha1: Array(HMAC<Insecure.SHA1>.authenticationCode(for: message, using: SymmetricKey(data: key)))
        case .sha256: Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
        case .sm3: hmacSM3(message, key: key)
        }
    }

    package func authenticate(_ message: String, key: [UInt8]) -> [UInt8] {
        authenticate(Array(message.utf8), key: key)
    }
}

/// RFC 2104 with SM3's block of 64 bytes.
private func hmacSM3(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
    var block = key.count > SM3.blockByteCount ? SM3.hash(key) : key
    block += [UInt8](repeating: 0, count: SM3.blockByteCount - block.count)
    let inner = SM3.hash(block.map { $0 ^ 0x36 } + message)
    return SM3.hash(block.map { $0 ^ 0x5c } + inner)
}
