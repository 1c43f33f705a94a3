// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import CryptoExtras
import Foundation

/// The kinds of key that are built; source: kms.md section 6.
public enum KeySpec: String, Sendable, Codable, CaseIterable {
    case aes256 = "Aliyun_AES_256"
    case rsa2048 = "RSA_2048"
    case rsa3072 = "RSA_3072"
    case rsa4096 = "RSA_4096"
    case p256 = "EC_P256"

    public var isSymmetric: Bool { self == .aes256 }

    var usages: [KeyUsage] {
        switch self {
        case .aes256: [.encryptDecrypt]
        case .rsa2048, .rsa3072, .rsa4096: [.signVerify, .encryptDecrypt]
        case .p256: [.signVerify]
        }
    }

    /// Bits of an RSA key's modulus.
    var modulusBits: Int? {
        switch self {
        case .rsa2048: 2048
        case .rsa3072: 3072
        case .rsa4096: 4096
        case .aes256, .p256: nil
        }
    }

    /// Fresh random material: 32 bytes, an RSA private key as PKCS#1 DER, or the scalar of a P-256 key.
    func makeMaterial() throws -> SymmetricKey {
        if let modulusBits {
            var der = try _RSA.Signing.PrivateKey(keySize: .init(bitCount: modulusBits)).derRepresentation
            return SymmetricKey(taking: &der)
        }
        guard self == .p256 else { return SymmetricKey(size: .bits256) }
        var scalar = P256.Signing.PrivateKey().rawRepresentation
        return SymmetricKey(taking: &scalar)
    }
}

public enum KeyUsage: String, Sendable, Codable {
    case encryptDecrypt = "ENCRYPT/DECRYPT"
    case signVerify = "SIGN/VERIFY"
}

/// Where the material of a key comes from.
public enum KeyOrigin: String, Sendable, Codable {
    case service = "Aliyun_KMS"
    case external = "EXTERNAL"
}
