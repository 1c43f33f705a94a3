// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation

/// What an operation of RAM is about, for the authorisation; source: ram.md section 5.2. Names of parameters.
enum IdentityResource: Sendable {
    case users, groups, roles, policies
    case user
    /// The name a user or group is to get; nothing if it keeps its own.
    case newUser, newGroup
    /// The user that is named, else the caller.
    case userOrCaller
    /// The user who calls.
    case caller
    case group, role
    /// With the type that `PolicyType` tells.
    case policy
    case customPolicy
    case devices, device
    case account
}

/// A call of the access management API: its parameters in RAM's words for what is wrong with them.
struct IdentityCall: Sendable {
    let context: RPCContext

    var identities: IdentityStore { context.services.identities }
    var account: String { context.accountId }

    func required(_ name: String) throws(RPCError) -> String { try context.required(name) }

    func userName() throws(RPCError) -> String { try required("UserName") }

    /// The user that is named, else the one who calls.
    func userOrCaller() throws(RPCError) -> String {
        if let name = context.filled("UserName") { return name }
        guard context.caller.kind == .ramUser else { throw .missing("UserName") }
        return context.caller.userName
    }

    func ownName() throws(RPCError) -> String {
        guard context.caller.kind == .ramUser else {
            throw RPCError(403, "NoPermission", "Only a user has a password of its own.")
        }
        return context.caller.userName
    }

    func policyType() throws(RPCError) -> NamedPolicy.PolicyType {
        guard let type = NamedPolicy.PolicyType(rawValue: try required("PolicyType")) else {
            throw RPCError(400, "InvalidParameter.PolicyType", "PolicyType is neither System nor Custom.")
        }
        return type
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(RPCError) -> Int? {
        guard let text = context.filled(name) else { return nil }
        guard let number = Int(text) else { throw RPCError(.invalid(field: name, .format)) }
        guard range.contains(number) else { throw RPCError(.invalid(field: name, .range)) }
        return number
    }

    func flag(_ name: String) throws(RPCError) -> Bool { try optionalFlag(name) ?? false }

    func optionalFlag(_ name: String) throws(RPCError) -> Bool? {
        switch context.filled(name)?.lowercased() {
        case nil: return nil
        case "false": return false
        case "true": return true
        default: throw RPCError(.invalid(field: name, .format))
        }
    }

    /// - Parameters:
    ///   - all: in the order of `place`, which stays when elements come and go.
    /// - Returns: the page asked for, and the answer's fields that tell of it.
    func page<Element>(
        _ all: [Element], place: (Element) -> String
    ) throws(RPCError) -> (elements: ArraySlice<Element>, fields: JSONFields) {
        let size = try integer("MaxItems", in: 1...1000) ?? 100
        var rest = all[...]
        if let marker = context.filled("Marker") { rest = rest.drop { place($0) <= marker } }
        let page = rest.prefix(size)
        var fields = JSONFields()
        fields.add(page.count < rest.count, "IsTruncated")
        if page.count < rest.count, let last = page.last { fields.add(place(last), "Marker") }
        return (page, fields)
    }

    // MARK: Resources

    /// With the names under which things are kept: patterns compare case, names do not.
    ///
    /// - Returns: nil for what the call is not about.
    func arn(of resource: IdentityResource) throws(RPCError) -> String? {
        switch resource {
        case .newUser: context.filled("NewUserName").map { arn("user/" + $0) }
        case .newGroup: context.filled("NewGroupName").map { arn("group/" + $0) }
        case .users: arn("user/*")
        case .groups: arn("group/*")
        case .roles: arn("role/*")
        case .policies: arn("policy/*")
        case .user: arn("user/" + kept(.user(try userName())))
        case .userOrCaller: arn("user/" + kept(.user(try userOrCaller())))
        case .caller: arn("user/" + (try ownName()))
        case .devices: arn("mfa/*")
        case .device:
            arn("mfa/" + identities.canonicalName(ofDevice: try required("SerialNumber"), account: account))
        case .account: arn("*")
        case .group: arn("group/" + kept(.group(try required("GroupName"))))
        case .role: arn("role/" + kept(.role(try required("RoleName"))))
        case .customPolicy: arn(ofPolicy: try required("PolicyName"), .custom)
        case .policy: arn(ofPolicy: try required("PolicyName"), try policyType())
        }
    }

    private func arn(_ relative: String) -> String { "acs:ram:*:\(account):\(relative)" }

    private func arn(ofPolicy name: String, _ type: NamedPolicy.PolicyType) -> String {
        let owner = type == .system ? "system" : account
        return "acs:ram:*:\(owner):policy/" + identities.canonicalName(ofPolicy: name, type, account: account)
    }

    func arn(ofTagged type: TaggedResource, _ name: String) throws(RPCError) -> String {
        switch type {
        case .role: arn("role/" + kept(.role(name)))
        case .policy: arn(ofPolicy: name, .custom)
        }
    }

    /// Whether a parameter names the user who calls, or, where it need not be sent, is not there.
    func isOwnAffair(_ parameter: String) -> Bool {
        guard context.caller.kind == .ramUser else { return false }
        let name = context.filled(parameter) ?? context.caller.userName
        return name.lowercased() == context.caller.userName.lowercased()
    }

    private func kept(_ holder: PolicyHolder) -> String { identities.canonicalName(of: holder, account: account) }
}

extension RPCOperation {
    /// An operation of RAM that needs `ram:<name>` on every one of the resources.
    ///
    /// - Parameters:
    ///   - selfService: the preference with which users may do it for themselves, unless a policy denies it.
    ///   - ownName: the parameter that then has to be the caller's name.
    static func identity(
        _ name: String, isWrite: Bool = false, on resources: IdentityResource...,
        selfService: @escaping @Sendable (SecurityPreference) -> Bool = { _ in false },
        ownName: String = "UserName", run: @escaping @Sendable (IdentityCall) throws -> RPCAnswer
    ) -> RPCOperation {
        RPCOperation(
            name, isWrite: isWrite, resourceType: nil,
            permission: .requests { context in
                let call = IdentityCall(context: context)
                return try resources.compactMap { try call.arn(of: $0) }.map { AccessRequest("ram:" + name, on: $0) }
            } ifUndecided: { context in
                IdentityCall(context: context).isOwnAffair(ownName)
                    && selfService(context.services.identities.settings(account: context.accountId).preference)
            }
        ) { context in
            try run(IdentityCall(context: context))
        }
    }
}

extension RPCError {
    init(_ error: DirectoryError) { self.init(error.httpStatus, error.code, error.description) }
}
