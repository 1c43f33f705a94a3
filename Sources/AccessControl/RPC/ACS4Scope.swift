// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// When, where and for what a V4 signature of the RPC gateway holds: `<yyyymmdd>/<region>/<product>/aliyun_v4_request`.
///
/// Region and product are under the signature by way of the key. Neither is compared with this service's own: a client
/// without a region writes `center`, and what a call is for is decided by its signed version and action.
package struct ACS4Scope: Sendable, Hashable {
    package let day: String
    package let region: String
    package let product: String

    package init(day: String, region: String, product: String) {
        self.day = day
        self.region = region
        self.product = product
    }

    /// Reads the `Credential` of a V4 request: the access key id, and the scope behind it.
    static func parse(_ credential: String) -> (accessKeyId: String, scope: ACS4Scope)? {
        let parts = credential.split(at: Ascii.slash)
        guard parts.count == 5, parts[4] == DerivedKey.terminator, !parts[2].isEmpty, !parts[3].isEmpty else { return nil }
        return (parts[0], ACS4Scope(day: parts[1], region: parts[2], product: parts[3]))
    }

    func key(_ secret: Secret) -> [UInt8] {
        DerivedKey.bytes(secret, day: day, region: region, product: product)
    }
}
