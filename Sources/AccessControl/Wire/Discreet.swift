// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Something that carries credentials or parameters as they came, and so prints and dumps as no more than a title.
protocol Discreet: CustomStringConvertible, CustomReflectable {}

extension Discreet {
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}

extension WireRequest: Discreet {
    public var description: String { "\(method) \(rawPath)" }
}

extension RPCCall: Discreet {
    public var description: String { "\(action ?? "no action") \(version ?? "") by \(claimedAccessKeyId ?? "nobody")" }
}

extension OSSRequest: Discreet {
    public var description: String { "\(request.method) \(resource) by \(claimedAccessKeyId ?? "nobody")" }
}
