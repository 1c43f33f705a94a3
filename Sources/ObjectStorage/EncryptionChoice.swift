// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import KeyManagement

/// Encryption as asked for by an object or a bucket's rule. Whatever is asked, every byte on disk is sealed; without
/// a choice it is sealed under the service's key and the answer does not speak of it. Source: oss.md section 16.
public struct EncryptionChoice: Codable, Sendable, Equatable {
    public enum Algorithm: String, Codable, Sendable {
        /// SSE-OSS: the service's key.
        case aes256 = "AES256"
        /// SSE-OSS with SM4 for the content.
        case sm4 = "SM4"
        /// SSE-KMS: a customer's key wraps the data key.
        case kms = "KMS"
    }

    public enum DataCipher: String, Codable, Sendable {
        case aes256 = "AES256"
        case sm4 = "SM4"
    }

    public let algorithm: Algorithm
    /// The key as the caller named it; nil is the account's default key. Only with ``Algorithm/kms``.
    public let keyId: String?
    /// Cipher of the content, only with ``Algorithm/kms``; nil is AES-256.
    public let dataCipher: DataCipher?

    private init(_ algorithm: Algorithm, keyId: String? = nil, dataCipher: DataCipher? = nil) {
        self.algorithm = algorithm
        self.keyId = keyId
        self.dataCipher = dataCipher
    }

    public static let aes256 = EncryptionChoice(.aes256)
    public static let sm4 = EncryptionChoice(.sm4)

    public static func kms(keyId: String? = nil, dataCipher: DataCipher? = nil) -> EncryptionChoice {
        EncryptionChoice(.kms, keyId: keyId, dataCipher: dataCipher)
    }

    var cipher: DataCipher { algorithm == .sm4 ? .sm4 : dataCipher ?? .aes256 }
}

/// A customer's key, found for one account.
public struct CustomerObjectKey: Sendable {
    /// The key's own id, also when it was asked for by alias, ARN or as the default: what the object keeps.
    public var id: String
    public var wrapper: any DataKeyWrapper

    public init(id: String, wrapper: any DataKeyWrapper) {
        self.id = id
        self.wrapper = wrapper
    }
}

/// Finds a customer's key; nil asks for the account's default key. What it throws reaches the caller of the store
/// unchanged, and so does what the wrapper throws when the key may not be used.
public typealias CustomerKeyLookup = @Sendable (_ keyId: String?, _ account: String) throws -> CustomerObjectKey
