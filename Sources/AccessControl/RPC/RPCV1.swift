// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Signature V1, of parameters only: no header, host, path or foreign body is covered. Source: actiontrail.md section 4.
package enum RPCV1: Sendable {
    case sha1
    case sha256

    package var hash: SignatureHash {
        switch self {
        case .sha1: .sha1
        case .sha256: .sha256
        }
    }

    init?(name: String) {
        switch name {
        case "HMAC-SHA1": self = .sha1
        case "HMAC-SHA256": self = .sha256
        default: return nil
        }
    }

    package static func canonicalQuery(_ parameters: WireParameters) -> String {
        WireParameters(parameters.without("Signature").all.sortedByBytes { $0.name }).encodedQuery
    }

    package static func stringToSign(method: String, parameters: WireParameters) -> String {
        "\(method)&%2F&\(PercentEncoding.encode(canonicalQuery(parameters)))"
    }

    package func signature(_ stringToSign: String, secret: Secret) -> String {
        TextCoding.base64(hash.authenticate(stringToSign, key: secret.bytes + [Ascii.ampersand]))
    }
}

/// What a V1 request says in its system parameters.
struct RPCV1Credentials: Sendable {
    let algorithm: RPCV1
    let accessKeyId: String
    let signature: String
    let timestamp: String
    let nonce: String
    let sessionToken: String?

    init(_ parameters: WireParameters, limits: WireLimits) throws(AuthenticationFailure) {
        func value(_ name: String, claiming id: String?) throws(AuthenticationFailure) -> String {
            guard let value = parameters[name], !value.isEmpty else {
                throw AuthenticationFailure.missing(name).claiming(id)
            }
            return value
        }
        let id = try value("AccessKeyId", claiming: nil)
        guard id.isPlausibleId else { throw .incompleteSignature("The AccessKeyId is malformed.") }
        accessKeyId = id
        signature = try value("Signature", claiming: id)
        timestamp = try value("Timestamp", claiming: id)
        nonce = try value("SignatureNonce", claiming: id)
        sessionToken = parameters["SecurityToken"]?.nonEmpty
        guard let algorithm = RPCV1(name: try value("SignatureMethod", claiming: id)) else {
            throw .incompleteSignature("The SignatureMethod is not supported.").claiming(id)
        }
        self.algorithm = algorithm
        guard try value("SignatureVersion", claiming: id).hasSameBytes(as: "1.0") else {
            throw .incompleteSignature("The SignatureVersion is not supported.").claiming(id)
        }
        guard nonce.utf8.count <= limits.nonceBytes else {
            throw .unreadable(.tooLong(part: "SignatureNonce", limit: limits.nonceBytes)).claiming(id)
        }
    }
}
