// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// OSS signature V4, `OSS4-HMAC-SHA256`. Source: oss.md section 6.
package enum OSSV4 {
    static let algorithm = "OSS4-HMAC-SHA256"
    static let unsignedPayload = "UNSIGNED-PAYLOAD"

    /// - Parameter additionalHeaders: lower case and sorted.
    package static func canonicalRequest(
        _ request: WireRequest, resource: OSSResource, parameters: WireParameters, additionalHeaders: [String]
    ) -> String {
        let query = canonicalQuery(parameters)
        let names = Set(request.ossHeaderNames + ["content-type", "content-md5"] + additionalHeaders)
        let headers = names.sortedByBytes { $0 }
            .compactMap { name in request.header(name).map { "\(name):\($0)\n" } }
            .joined()
        return [
            request.method, PercentEncoding.encode(resource.path, keepingSlashes: true), query, headers,
            additionalHeaders.joined(separator: ";"), unsignedPayload,
        ].joined(separator: "\n")
    }

    /// Every parameter but the signature itself, encoded and sorted; V2 signs the same.
    static func canonicalQuery(_ parameters: WireParameters) -> String {
        parameters.without("x-oss-signature").all
            .map { (name: PercentEncoding.encode($0.name), value: PercentEncoding.encode($0.value)) }
            .sortedByBytes { $0.name }
            .map { $0.value.isEmpty ? $0.name : "\($0.name)=\($0.value)" }
            .joined(separator: "&")
    }

    package static func stringToSign(_ canonicalRequest: String, scope: OSSV4Scope) -> String {
        let hash = TextCoding.hex(SignatureHash.sha256.digest(Array(canonicalRequest.utf8)))
        return "\(algorithm)\n\(scope.time.compact)\n\(scope.text)\n\(hash)"
    }

    package static func signature(_ stringToSign: String, scope: OSSV4Scope, secret: Secret) -> String {
        let key = DerivedKey.bytes(
            secret, day: scope.time.compactDay, region: scope.region, product: scope.product)
        return TextCoding.hex(SignatureHash.sha256.authenticate(stringToSign, key: key))
    }
}

/// When, where and for what a V4 signature holds.
package struct OSSV4Scope: Sendable, Hashable {
    package let time: WireTime
    package let region: String
    package let product: String

    package init(time: WireTime, region: String, product: String = "oss") {
        self.time = time
        self.region = region
        self.product = product
    }

    var text: String { "\(time.compactDay)/\(region)/\(product)/\(DerivedKey.terminator)" }
}
