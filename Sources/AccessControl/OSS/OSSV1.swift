// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// OSS signature V1. Source: oss.md section 5.
package enum OSSV1 {
    /// - Parameter date: the `x-oss-date` or `Date` header, or a signed URL's `Expires`, as sent.
    package static func stringToSign(
        _ request: WireRequest, resource: OSSResource, parameters: WireParameters, date: String
    ) -> String {
        let headers = request.ossHeaderNames
            .map { "\($0):\(request.header($0) ?? "")\n" }
            .joined()
        let lines = [
            request.method, request.header("content-md5") ?? "", request.header("content-type") ?? "", date, headers,
        ].joined(separator: "\n")
        return lines + resource.path + subresources(parameters)
    }

    package static func signature(_ stringToSign: String, secret: Secret) -> String {
        TextCoding.base64(SignatureHash.sha1.authenticate(stringToSign, key: secret.bytes))
    }

    /// Names and values go in decoded; of a repeated name the first value counts (oss.md section 7).
    private static func subresources(_ parameters: WireParameters) -> String {
        let names = Set(parameters.all.map(\.name)).intersection(signedSubresources).sortedByBytes { $0 }
        let pairs = names.map { name in
            let value = parameters[name] ?? ""
            return value.isEmpty ? name : "\(name)=\(value)"
        }
        return pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
    }
}

extension WireRequest {
    /// The `x-oss-` headers that are present, lower case and sorted. Every OSS signature covers them all.
    var ossHeaderNames: [String] {
        Set(headers.map { $0.name.asciiLowercased() }.filter { $0.utf8.starts(with: "x-oss-".utf8) })
            .sortedByBytes { $0 }
    }
}
