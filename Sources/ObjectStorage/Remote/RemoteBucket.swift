// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A bucket of another store that trails may deliver to, as configured; secrets only by where they are.
public struct RemoteBucket: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable { case oss, s3 }

    public enum Encryption: String, Sendable, CaseIterable { case none, aes256, kms }

    public enum RetentionMode: String, Sendable, CaseIterable {
        case none
        /// Those with a special permission may still delete.
        case governance = "GOVERNANCE"
        /// Nobody may.
        case compliance = "COMPLIANCE"
    }

    /// A role to take on before each hour of deliveries.
    public struct Role: Sendable, Equatable {
        /// `acs:ram::ACCOUNT:role/NAME`
        public var arn: String
        public var stsEndpoint: RemoteEndpoint

        public init(arn: String, stsEndpoint: RemoteEndpoint) {
            self.arn = arn
            self.stsEndpoint = stsEndpoint
        }
    }

    /// The bucket name of trails that deliver here.
    public var name: String
    public var kind: Kind
    public var endpoint: RemoteEndpoint
    public var region: String
    /// The name that the store knows it by.
    public var bucket: String
    public var accessKeyId: String
    public var secret: SecretSource
    public var sessionToken: SecretSource?
    /// OSS only.
    public var role: Role?
    public var isPathStyle: Bool
    public var encryption = Encryption.none
    public var kmsKeyId: String?
    public var retentionMode = RetentionMode.none
    public var retentionDays = 0
    /// PEM file with the certificate authorities to trust in place of the system's.
    public var caFile: String?

    /// - Parameter isPathStyle: nil takes what suits the endpoint.
    public init(
        name: String, kind: Kind, endpoint: RemoteEndpoint, region: String, bucket: String, accessKeyId: String,
        secret: SecretSource, isPathStyle: Bool? = nil
    ) {
        self.name = name
        self.kind = kind
        self.endpoint = endpoint
        self.region = region
        self.bucket = bucket
        self.accessKeyId = accessKeyId
        self.secret = secret
        self.isPathStyle =
            isPathStyle
            ?? {
                // Endpoints of one's own rarely have names for buckets, and certificates cover no dot in a bucket's name.
                let isVendor = kind == .oss || endpoint.host.hasSuffix(".amazonaws.com")
                return endpoint.isAddress || !isVendor || bucket.contains(".")
            }()
    }

    var access: RemoteAccess {
        RemoteAccess(accessKeyId: accessKeyId, secret: secret, sessionToken: sessionToken, role: role, caFile: caFile)
    }

    var place: RemotePlace { RemotePlace(name: name, kind: kind.rawValue, bucket: bucket, endpoint: endpoint) }
}
