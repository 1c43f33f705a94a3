// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto

/// Version 1 of the log service's signature, by the header `x-log-signaturemethod`. Source: sls.md section 4.1.
package enum SLSV1: String, Sendable {
    case sha1 = "hmac-sha1"
    case sha256 = "hmac-sha256"

    /// - Parameters:
    ///   - path: decoded.
    ///   - date: `x-log-date` or `Date`, as sent.
    package static func stringToSign(
        _ request: WireRequest, path: String, parameters: WireParameters, date: String
    ) -> String {
        // The Python SDK adds x-log-date after it has signed.
        let headers = request.slsHeaderNames.filter { $0 != "x-log-date" }
            .map { "\($0):\(request.header($0) ?? "")\n" }
            .joined()
        let lines = [
            request.method, request.header("content-md5") ?? "", request.header("content-type") ?? "", date, headers,
        ].joined(separator: "\n")
        let query = parameters.all.sortedByBytes { $0.name }.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        return lines + path + (query.isEmpty ? "" : "?" + query)
    }

    /// The header `Content-MD5`: whether a body arrived whole, itself under the signature.
    package static func contentMD5(_ body: [UInt8]) -> String {
        TextCoding.hex(Insecure.MD5.hash(data: body)).uppercased()
    }

    package func signature(_ stringToSign: String, secret: Secret) -> String {
        let hash: SignatureHash =
            switch self {
            case .sha1: .sha1
            case .sha256: .sha256
            }
        return TextCoding.base64(hash.authenticate(stringToSign, key: secret.bytes))
    }
}

extension WireRequest {
    /// The `x-log-` and `x-acs-` headers that are present and signed, lower case and sorted.
    var slsHeaderNames: [String] {
        Set(
            headers.map { $0.name.asciiLowercased() }
                .filter {
                    ($0.utf8.starts(with: "x-log-".utf8) || $0.utf8.starts(with: "x-acs-".utf8))
                        && !$0.utf8.starts(with: "x-log-meta-".utf8)
                }
        ).sortedByBytes { $0 }
    }
}
