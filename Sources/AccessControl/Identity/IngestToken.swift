// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A bearer token that may put events and nothing else: `cairn_it_<id>_<secret>`.
///
/// The id is 16 lower-case hex digits and names the token in lists and records. The secret is 32 random bytes in
/// base64url; being that random it needs no salt and no slow hash, so the service keeps its SHA-256 and nothing more.
public struct IngestToken: Sendable {
    public let id: String
    let secret: Secret

    static let prefix = "cairn_it_"
    static let idLength = 16
    static let secretLength = 43

    /// Nil for anything not of the form above; says nothing about whether such a token was ever issued.
    public init?(_ text: String) {
        guard text.utf8.starts(with: Self.prefix.utf8) else { return nil }
        let rest = text.utf8.dropFirst(Self.prefix.utf8.count)
        let id = rest.prefix(Self.idLength)
        let secret = rest.dropFirst(Self.idLength + 1)
        guard id.count == Self.idLength, id.allSatisfy(Self.isHexDigit),
            rest.dropFirst(Self.idLength).first == UInt8(ascii: "_"),
            secret.count == Self.secretLength, secret.allSatisfy(Self.isBase64URL)
        else { return nil }
        self.init(id: String(decoding: id, as: UTF8.self), secret: Secret(String(decoding: secret, as: UTF8.self)))
    }

    private init(id: String, secret: Secret) {
        self.id = id
        self.secret = secret
    }

    /// The whole token, to be shown once to whoever asked for it.
    public func reveal() -> String {
        "\(Self.prefix)\(id)_\(secret.reveal())"
    }

    /// Makes a token and the record to keep of it. The token itself can never be made out of the record again.
    public static func issue(
        name: String, accountId: String, at time: WireTime, expiresAt: WireTime? = nil,
        using generator: inout some RandomNumberGenerator
    ) -> (token: IngestToken, record: IngestTokenRecord) {
        let id = (0..<idLength / 2).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let secret = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let token = IngestToken(id: TextCoding.hex(id), secret: Secret(TextCoding.base64URL(secret)))
        let record = IngestTokenRecord(
            id: token.id, secretDigest: token.secretDigest, name: name, accountId: accountId, createdAt: time,
            expiresAt: expiresAt)
        return (token, record)
    }

    public static func issue(
        name: String, accountId: String, at time: WireTime, expiresAt: WireTime? = nil
    ) -> (token: IngestToken, record: IngestTokenRecord) {
        var generator = SystemRandomNumberGenerator()
        return issue(name: name, accountId: accountId, at: time, expiresAt: expiresAt, using: &generator)
    }

    /// Of the secret's text, so that each token has one spelling only.
    var secretDigest: [UInt8] {
        Array(SHA256.hash(data: secret.bytes))
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }

    private static func isBase64URL(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

extension IngestToken: CustomStringConvertible {
    public var description: String { "ingest token \(id)" }
}
