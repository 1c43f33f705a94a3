// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The signing key of the V4 schemes: made of a secret for one day, one region and one product, so that whoever
/// learns it can sign nothing else. Source: oss.md section 6, kms.md section 2.3.
package enum DerivedKey {
    package static let terminator = "aliyun_v4_request"

    static func bytes(_ secret: Secret, day: String, region: String, product: String) -> [UInt8] {
        [day, region, product, terminator].reduce(Array("aliyun_v4".utf8) + secret.bytes) { key, part in
            SignatureHash.sha256.authenticate(part, key: key)
        }
    }
}
