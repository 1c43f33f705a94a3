// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One question to the policies: may this action be done to this resource? An operation may need several, and then
/// every one must be allowed.
public struct AccessRequest: Sendable, Hashable {
    /// `service:Operation`, such as `kms:Decrypt`.
    public var action: String
    /// `acs:service:region:account:relative-id`.
    public var resource: String
    /// Condition keys of this action beyond those that every request has, such as `oss:Prefix` or `kms:tag/team`.
    public var conditions: [String: [String]]

    public init(_ action: String, on resource: String, conditions: [String: [String]] = [:]) {
        self.action = action
        self.resource = resource
        self.conditions = conditions
    }
}

/// What every request brings with it, for the condition keys that begin with `acs:`.
public struct RequestCircumstances: Sendable {
    /// Address of the peer.
    public var sourceAddress: String
    public var isSecureTransport: Bool
    public var userAgent: String?
    public var now: WireTime

    public init(_ request: WireRequest, at now: WireTime) {
        sourceAddress = request.peerAddress
        isSecureTransport = request.isTLS
        userAgent = request.header("user-agent")
        self.now = now
    }

    public init(sourceAddress: String, isSecureTransport: Bool, userAgent: String? = nil, at now: WireTime) {
        self.sourceAddress = sourceAddress
        self.isSecureTransport = isSecureTransport
        self.userAgent = userAgent
        self.now = now
    }
}
