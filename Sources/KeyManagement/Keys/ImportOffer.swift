// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import CryptoExtras
import Foundation

/// Parameters for one import of material: a private key made for it, known to the caller by a token.
///
/// Source: kms.md section 4.5.
struct ImportOffer: Codable, Sendable, Equatable {
    /// 24 hours.
    static let lifetime: Int64 = 24 * 3600
    /// Of one key; more drop the oldest.
    static let limit = 10

    /// SHA-256 of the token, in hexadecimal: the token itself is stored nowhere.
    let tokenHash: String
    let algorithm: WrappingAlgorithm
    let expiresAt: Int64
    /// The private key under the root.
    var sealed: Data

    func context(of key: KeyRecord) -> Data {
        Data("cairn import\n\(key.id)\n\(tokenHash)\n\(algorithm.rawValue)\n\(expiresAt)".utf8)
    }

    static func hash(_ token: Data) -> String { SHA256.hash(data: token).map { String(format: "%02x", $0) }.joined() }
}

/// How a client wraps something for an RSA public key, or asks for it to be wrapped.
public enum WrappingAlgorithm: String, Sendable, Codable {
    case pkcs1 = "RSAES_PKCS1_V1_5"
    case oaepSHA1 = "RSAES_OAEP_SHA_1"
    case oaepSHA256 = "RSAES_OAEP_SHA_256"

    var padding: _RSA.Encryption.Padding {
        switch self {
        case .pkcs1: ._WEAK_AND_INSECURE_PKCS_V1_5
        case .oaepSHA1: .PKCS1_OAEP
        case .oaepSHA256: .PKCS1_OAEP_SHA256
        }
    }
}
