// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// OSS signature V2, `OSS2`: HMAC-SHA256 over every parameter and the headers that the client names.
///
/// Source: oss.md section 8, and the captured requests.
package enum OSSV2 {
    static let scheme = "OSS2"

    /// - Parameters:
    ///   - date: the `x-oss-date` or `Date` header, or a signed URL's `x-oss-expires`, as sent.
    ///   - additionalHeaders: lower case and sorted.
    package static func stringToSign(
        _ request: WireRequest, resource: OSSResource, parameters: WireParameters, date: String, additionalHeaders: [String]
    ) -> String {
        let headers = Set(request.ossHeaderNames + additionalHeaders).sortedByBytes { $0 }
            .compactMap { name in request.header(name).map { "\(name):\($0)\n" } }
            .joined()
        let query = OSSV4.canonicalQuery(parameters)
        return [
            request.method, request.header("content-md5") ?? "", request.header("content-type") ?? "", date,
            headers + additionalHeaders.joined(separator: ";"),
            PercentEncoding.encode(resource.path) + (query.isEmpty ? "" : "?" + query),
        ].joined(separator: "\n")
    }

    package static func signature(_ stringToSign: String, secret: Secret) -> String {
        TextCoding.base64(SignatureHash.sha256.authenticate(stringToSign, key: secret.bytes))
    }
}
