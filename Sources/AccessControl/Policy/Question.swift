// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A request in the form that patterns are compared with.
struct Question: Sendable {
    /// Lower case.
    let action: [UInt8]
    let resource: [UInt8]
    /// Nil for a resource that is no ARN, such as `*`.
    let parts: ResourceName.Parts?
    let isRole: Bool
    /// In lower case if it is a role, else empty.
    let foldedResource: [UInt8]
    let context: DecisionContext

    init(_ request: AccessRequest, by caller: Caller, in circumstances: RequestCircumstances) {
        action = request.action.utf8.map(Ascii.lower)
        let resource = Array(request.resource.utf8)
        self.resource = resource
        parts = ResourceName.parts(of: resource)
        isRole =
            parts.map { parts in
                resource[parts.service].elementsEqual("ram".utf8)
                    && resource[parts.relative].starts(with: "role/".utf8) { Ascii.lower($0) == $1 }
            } ?? false
        foldedResource = isRole ? resource.map(Ascii.lower) : []
        context = DecisionContext(request: request, caller: caller, circumstances: circumstances)
    }

    /// The account that the resource's name says it belongs to; nil if it names none (`*`, `system`, empty).
    var account: String? {
        guard let parts else { return nil }
        let account = String(decoding: resource[parts.account], as: UTF8.self)
        return account.isAccountNumber ? account : nil
    }
}

/// What conditions may ask about.
struct DecisionContext: Sendable {
    let request: AccessRequest
    let caller: Caller
    let circumstances: RequestCircumstances

    /// None if the request has no such key. What every request has cannot be overruled by what an operation brings.
    func values(of key: ConditionKey) -> [String] {
        switch key {
        case .sourceIp: [circumstances.sourceAddress]
        case .currentTime: [circumstances.now.iso8601]
        case .secureTransport: [circumstances.isSecureTransport ? "true" : "false"]
        case .mfaPresent: [caller.session?.isMultiFactor == true ? "true" : "false"]
        case .principalARN: caller.principalARN.map { [$0] } ?? []
        case .userAgent: circumstances.userAgent.map { [$0] } ?? []
        case .accessId: caller.accessKeyId.map { [$0] } ?? []
        case .ofRequest(let name):
            request.conditions.reduce(into: []) { values, condition in
                if ConditionKey.canonical(condition.key).hasSameBytes(as: name) { values += condition.value }
            }
        }
    }
}

extension Caller {
    /// As `acs:PrincipalARN` gives it; of a role session the role.
    var principalARN: String? {
        switch kind {
        case .rootAccount: "acs:ram::\(accountId):root"
        case .ramUser: "acs:ram::\(accountId):user/\(userName)"
        case .assumedRole: "acs:ram::\(accountId):role/\(session?.roleName ?? "")"
        case .ingestToken, .service, .anonymous: nil
        }
    }
}
