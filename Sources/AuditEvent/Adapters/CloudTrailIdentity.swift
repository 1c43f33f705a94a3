// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Who called, in ActionTrail's words.
enum CloudTrailIdentity {
    static func identity(_ source: JSONValue, _ scratch: inout ScratchPad) -> EventDraft.Identity {
        var identity = EventDraft.Identity()
        let type = scratch.text(source.member("type"))
        let arn = scratch.text(source.member("arn"))
        let name = scratch.text(source.member("userName"))
        let invokedBy = scratch.text(source.member("invokedBy"))
        let session = source.member("sessionContext")
        let issuer = session?.member("sessionIssuer")
        identity.principalId = scratch.text(source.member("principalId"))
        identity.accountId = scratch.text(source.member("accountId"))
        identity.accessKeyId = scratch.text(source.member("accessKeyId"))
        if let attributes = session?.member("attributes") {
            identity.mfaAuthenticated =
                attributes.member("mfaAuthenticated").flatMap(\.bool).map { Text($0 ? "true" : "false") } ?? .none
            identity.creationDate = scratch.text(attributes.member("creationDate"))
        }

        if type.equals("Root") {
            identity.type = Text("root-account")
            identity.userName = Text("root")
        } else if type.equals("IAMUser") {
            identity.type = Text("ram-user")
            identity.userName = name.or(resource(of: arn, "user/").afterLast("/"))
        } else if type.equals("AssumedRole") || type.equals("Role") {
            identity.type = Text("assumed-role")
            let issuerName = scratch.text(issuer?.member("userName"))
            identity.userName = roleSession(arn, issuerName.or(name), identity.principalId, &scratch)
        } else if type.equals("FederatedUser") {
            identity.type = Text("federated-user")
            identity.userName = resource(of: arn, "federated-user/").or(scratch.text(issuer?.member("userName"))).or(
                name)
        } else if type.equals("SAMLUser") {
            identity.type = Text("saml-user")
            identity.userName = name
        } else if type.equals("WebIdentityUser") {
            identity.type = Text("web-identity-user")
            identity.userName = name
        } else if type.equals("IdentityCenterUser") {
            identity.type = Text("cloudsso-user")
            let owner = source.member("onBehalfOf")
            identity.userName = name.or(scratch.text(owner?.member("userId"))).or(identity.principalId)
        } else if type.equals("AWSAccount") {
            identity.type = Text("alibaba-cloud-account")
            identity.userName = name.or(identity.accountId).or(identity.principalId)
        } else if type.equals("AWSService") || (type.isEmpty && !invokedBy.isEmpty) {
            identity.type = Text("system")
            identity.userName = invokedBy
        } else {
            identity.type = type.or(Text("unknown"))
            identity.userName = name
        }
        return identity
    }

    /// `role:session` from `arn:aws:sts::<account>:assumed-role/<role>/<session>`, else from the role that issued
    /// the session and the principal `<role id>:<session>`.
    private static func roleSession(
        _ arn: Text, _ issuerName: Text, _ principalId: Text, _ scratch: inout ScratchPad
    ) -> Text {
        let assumed = resource(of: arn, "assumed-role/")
        if let slash = assumed.lastIndex(of: "/") {
            return scratch.join(assumed.part(0..<slash), ":", assumed.part(slash + 1..<assumed.count))
        }
        let role = issuerName.or(resource(of: arn, "role/").afterLast("/")).or(assumed)
        guard let colon = principalId.firstIndex(of: ":") else { return role }
        let session = principalId.part(colon + 1..<principalId.count)
        return role.isEmpty ? session : scratch.join(role, ":", session)
    }

    /// What follows `prefix` in an ARN's resource part (behind its fifth colon), or nothing.
    private static func resource(of arn: Text, _ prefix: StaticString) -> Text {
        var colons = 0
        for (index, byte) in arn.enumerated() where byte == UInt8(ascii: ":") {
            colons += 1
            guard colons == 5 else { continue }
            let rest = arn.part(index + 1..<arn.count)
            return rest.starts(with: prefix) ? rest.part(prefix.utf8CodeUnitCount..<rest.count) : .none
        }
        return .none
    }
}
