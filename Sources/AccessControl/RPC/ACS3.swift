// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Signature V3: `ACS3-HMAC-SHA256` and its SM3 sister (actiontrail.md section 3), and V4, which is the same with a
/// derived key (kms.md section 2.3).
package enum ACS3: Sendable {
    case sha256
    case sm3
    case sha256DerivedKey

    package var name: String {
        switch self {
        case .sha256: "ACS3-HMAC-SHA256"
        case .sm3: "ACS3-HMAC-SM3"
        case .sha256DerivedKey: "ACS4-HMAC-SHA256"
        }
    }

    package var hash: SignatureHash {
        switch self {
        case .sha256, .sha256DerivedKey: .sha256
        case .sm3: .sm3
        }
    }

    init?(name: String) {
        switch name {
        case ACS3.sha256.name: self = .sha256
        case ACS3.sm3.name: self = .sm3
        case ACS3.sha256DerivedKey.name: self = .sha256DerivedKey
        default: return nil
        }
    }

    /// The whole request in one text (section 3.1, steps 2 to 4). The path is as sent, `/` for every RPC product.
    ///
    /// - Parameter signedHeaders: lower-case names, in the order in which the client lists them.
    package static func canonicalRequest(
        _ request: WireRequest, query: WireParameters, signedHeaders: [String], payloadHash: String
    ) -> String {
        let query = query.all
            .sortedByBytes { $0.name }
            .map { PercentEncoding.encode($0.name) + "=" + PercentEncoding.encode($0.value) }
            .joined(separator: "&")
        let headers = signedHeaders.map { "\($0):\(request.header($0) ?? "")\n" }.joined()
        return [
            request.method, request.rawPath.isEmpty ? "/" : request.rawPath, query, headers,
            signedHeaders.joined(separator: ";"), payloadHash,
        ].joined(separator: "\n")
    }

    package func stringToSign(_ canonicalRequest: String) -> String {
        "\(name)\n\(TextCoding.hex(hash.digest(Array(canonicalRequest.utf8))))"
    }

    /// - Parameter scope: of a V4 signature; nil for V3.
    package func signature(_ stringToSign: String, secret: Secret, scope: ACS4Scope? = nil) -> String {
        TextCoding.hex(hash.authenticate(stringToSign, key: scope?.key(secret) ?? secret.bytes))
    }

    package func payloadHash(_ body: [UInt8]) -> String {
        TextCoding.hex(hash.digest(body))
    }
}
