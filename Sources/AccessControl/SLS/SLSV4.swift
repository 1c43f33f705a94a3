// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Version 4 of the log service's signature, `SLS4-HMAC-SHA256`. Source: sls.md section 4.2.
package enum SLSV4 {
    static let algorithm = "SLS4-HMAC-SHA256"
    static let product = "sls"

    /// - Parameters:
    ///   - path: as sent.
    ///   - payloadHash: the header `x-log-content-sha256`.
    package static func canonicalRequest(
        _ request: WireRequest, path: String, parameters: WireParameters, payloadHash: String
    ) -> String {
        let names = Set(request.slsHeaderNames + ["content-type", "host"]).sortedByBytes { $0 }
            .filter { request.header($0) != nil }
        let query = parameters.all.sortedByBytes { $0.name }
            .map { $0.value.isEmpty ? $0.name : "\($0.name)=\(PercentEncoding.encode($0.value))" }
            .joined(separator: "&")
        return [
            request.method, path, query, names.map { "\($0):\(request.header($0) ?? "")\n" }.joined(),
            names.joined(separator: ";"), payloadHash,
        ].joined(separator: "\n")
    }

    package static func stringToSign(_ canonicalRequest: String, scope: SLSV4Scope) -> String {
        let hash = TextCoding.hex(SignatureHash.sha256.digest(Array(canonicalRequest.utf8)))
        return "\(algorithm)\n\(scope.time.compact)\n\(scope.text)\n\(hash)"
    }

    package static func signature(_ stringToSign: String, scope: SLSV4Scope, secret: Secret) -> String {
        let key = DerivedKey.bytes(secret, day: scope.time.compactDay, region: scope.region, product: product)
        return TextCoding.hex(SignatureHash.sha256.authenticate(stringToSign, key: key))
    }
}

/// When and where a V4 signature holds.
package struct SLSV4Scope: Sendable, Hashable {
    package let time: WireTime
    package let region: String

    package init(time: WireTime, region: String) {
        self.time = time
        self.region = region
    }

    package var text: String { "\(time.compactDay)/\(region)/\(SLSV4.product)/\(DerivedKey.terminator)" }
}
