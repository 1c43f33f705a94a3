// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation

/// Tags of roles and policies, as JSON text: ram.md section 2.6.
extension RPCOperation {
    static let tagIdentities = tagging("TagResources", isWrite: true) { call, type in
        let tags = try call.tags()
        guard !tags.isEmpty else { throw RPCError.missing("Tag") }
        var wanted: [String: String] = [:]
        for tag in tags { wanted[tag.Key] = tag.Value ?? "" }
        try call.identities.tag(call.taggedNames(), type, with: wanted, account: call.account)
        return RPCAnswer()
    }

    static let untagIdentities = tagging("UntagResources", isWrite: true) { call, type in
        let keys = try call.list("TagKeys", limit: IdentityStore.tagsPerResource)
        guard try !keys.isEmpty || call.flag("All") else { throw RPCError.missing("TagKeys") }
        try call.identities.untag(
            call.taggedNames(), type, keys: keys.isEmpty ? nil : keys, account: call.account)
        return RPCAnswer()
    }

    /// ListTagResources: of the named resources, or of all; a page holds whole resources, 200 tags or some more.
    static let listIdentityTags = tagging("ListTagResources", isWrite: false) { call, type in
        let names = Set(try call.list("ResourceNames", limit: 50).map { $0.lowercased() })
        let size = try call.integer("PageSize", in: 1...200) ?? 100
        let wanted = try call.tags()
        let after = call.context.filled("NextToken")
        var answer = JSONFields()
        var rows: [JSONFields] = []
        var last: String?
        for (name, tags) in call.identities.tags(type, account: call.account) {
            let place = name.lowercased()
            guard after.map({ place > $0 }) ?? true, names.isEmpty || names.contains(place), tags.carry(wanted) else { continue }
            if rows.count >= size, let last {
                answer.add(last, "NextToken")
                break
            }
            last = place
            for (key, value) in tags.sorted(by: { $0.key < $1.key }) {
                var row = JSONFields()
                row.add(name, "ResourceName")
                row.add(type.rawValue, "ResourceType")
                row.add(key, "TagKey")
                row.add(value, "TagValue")
                rows.append(row)
            }
        }
        answer.add(rows, "TagResources")
        return RPCAnswer(answer)
    }

    /// Asks for permission on every resource that is named, on all of the type if none is.
    private static func tagging(
        _ name: String, isWrite: Bool, run: @escaping @Sendable (IdentityCall, TaggedResource) throws -> RPCAnswer
    ) -> RPCOperation {
        RPCOperation(
            name, isWrite: isWrite, resourceType: nil,
            permission: .requests { context in
                let call = IdentityCall(context: context)
                let type = try call.taggedType()
                let names = try call.list("ResourceNames", limit: 50)
                return try (names.isEmpty ? ["*"] : names).map {
                    AccessRequest("ram:" + name, on: try call.arn(ofTagged: type, $0))
                }
            }
        ) { context in
            let call = IdentityCall(context: context)
            return try run(call, call.taggedType())
        }
    }
}

/// A tag as RAM writes it.
struct IdentityTag: Decodable {
    let Key: String
    let Value: String?
}

extension IdentityCall {
    fileprivate func taggedType() throws(RPCError) -> TaggedResource {
        guard let type = TaggedResource(rawValue: try required("ResourceType")) else {
            throw RPCError(.invalid(field: "ResourceType", .format))
        }
        return type
    }

    fileprivate func taggedNames() throws(RPCError) -> [String] {
        let names = try list("ResourceNames", limit: 50)
        guard !names.isEmpty else { throw .missing("ResourceNames") }
        return names
    }

    /// A list of texts as JSON.
    fileprivate func list(_ name: String, limit: Int) throws(RPCError) -> [String] {
        guard let text = context.filled(name) else { return [] }
        guard let list = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
            throw RPCError(.invalid(field: name, .format))
        }
        guard list.count <= limit else { throw RPCError(.invalid(field: name, .length)) }
        return list
    }

    /// `Tag` as JSON text; empty if it was not sent. A tag without a value asks for any.
    func tags() throws(RPCError) -> [IdentityTag] {
        guard let text = context.filled("Tag") else { return [] }
        guard let tags = try? JSONDecoder().decode([IdentityTag].self, from: Data(text.utf8)) else {
            throw RPCError(.invalid(field: "Tag", .format))
        }
        guard tags.count <= IdentityStore.tagsPerResource else { throw RPCError(.invalid(field: "Tag", .length)) }
        return tags
    }
}

extension [String: String] {
    func carry(_ wanted: [IdentityTag]) -> Bool {
        wanted.allSatisfy { tag in self[tag.Key].map { value in tag.Value.map { $0 == value } ?? true } ?? false }
    }
}
