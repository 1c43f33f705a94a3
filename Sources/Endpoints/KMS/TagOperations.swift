// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import KeyManagement

/// Tags: kms.md section 4.7. The calls on one key take JSON, those on several take numbered parameters.
extension RPCOperation {
    static let tagResource = RPCOperation.key("TagResource", isWrite: true) { call in
        guard let tags = try call.tags() else { throw RPCError.missingParameter("Tags") }
        try call.keys.tag(call.key().id, with: tags)
        return RPCAnswer()
    }

    static let untagResource = RPCOperation.key("UntagResource", isWrite: true) { call in
        let text = try call.required("TagKeys")
        // A JSON array, or a list with commas.
        let names =
            (try? JSONDecoder().decode([String].self, from: Data(text.utf8)))
            ?? text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        try call.keys.untag(call.key().id, keys: names)
        return RPCAnswer()
    }

    static let listResourceTags = RPCOperation.key("ListResourceTags") { call in
        let key = try call.key()
        var answer = JSONFields()
        answer.add(
            key.tags.sorted { $0.key < $1.key }.map { tag in
                var fields = JSONFields()
                fields.add(key.id, "KeyId")
                fields.add(tag.key, "TagKey")
                fields.add(tag.value, "TagValue")
                return fields
            }, "Tag", in: "Tags")
        return RPCAnswer(answer)
    }

    static let tagResources = RPCOperation.key("TagResources", isWrite: true) { call in
        let tags = try call.numberedTags()
        guard !tags.isEmpty else { throw RPCError.missingParameter("Tag.1.Key") }
        // All of them, before the first is changed.
        for key in try call.namedKeys() { try call.keys.tag(key.id, with: tags) }
        return RPCAnswer()
    }

    static let untagResources = RPCOperation.key("UntagResources", isWrite: true) { call in
        let names = try call.list("TagKey", limit: 20)
        let isAll = try call.flag("All") ?? false
        guard !names.isEmpty || isAll else { throw RPCError.missingParameter("TagKey.1") }
        for key in try call.namedKeys() { try call.keys.untag(key.id, keys: names.isEmpty ? nil : names) }
        return RPCAnswer()
    }

    /// ListTagResources: the tags of the named keys, or of all that carry the given tags; 200 a page.
    static let listTagResources = RPCOperation.key("ListTagResources") { call in
        let wanted = try call.numberedTags(valuesAreOptional: true)
        let keys: [KeyRecord]
        if call.context["ResourceId.1"] != nil {
            keys = try call.namedKeys()
        } else {
            try call.checkResourceType()
            try call.authorizeTagging(on: call.arn("key/*"))
            keys = call.keys.keys(account: call.account, region: call.region)
        }
        // What a page ended with: a place in the order, which stays when tags come and go.
        let after =
            call.optional("NextToken").flatMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) } ?? ""
        let matching = keys.filter { key in
            wanted.allSatisfy { name, value in key.tags[name].map { value.isEmpty || $0 == value } ?? false }
        }
        var tags: [(place: String, key: KeyRecord, tag: (key: String, value: String))] = []
        for key in matching {
            for (name, value) in key.tags { tags.append((key.id + "\n" + name, key, (name, value))) }
        }
        tags = tags.filter { $0.place > after }.sorted { $0.place < $1.place }
        let page = tags.prefix(200)
        var answer = JSONFields()
        answer.add(page.count < tags.count ? Data((page.last?.place ?? "").utf8).base64EncodedString() : "", "NextToken")
        answer.add(
            page.map { entry in
                var fields = JSONFields()
                fields.add(entry.key.id, "ResourceId")
                fields.add("key", "ResourceType")
                fields.add(entry.tag.key, "TagKey")
                fields.add(entry.tag.value, "TagValue")
                return fields
            }, "TagResource", in: "TagResources")
        return RPCAnswer(answer)
    }
}

extension KeyCall {
    private struct Tag: Decodable {
        var TagKey: String
        var TagValue: String
    }

    /// `Tags` as JSON text; nil if it was not sent.
    func tags() throws(RPCError) -> [String: String]? {
        guard let tags = try json([Tag].self, "Tags", "a JSON array of TagKey and TagValue") else { return nil }
        return Dictionary(tags.map { ($0.TagKey, $0.TagValue) }, uniquingKeysWith: { _, last in last })
    }

    /// `Tag.1.Key`, `Tag.1.Value`, …
    fileprivate func numberedTags(valuesAreOptional: Bool = false) throws(RPCError) -> [String: String] {
        var tags: [String: String] = [:]
        var number = 1
        while let key = context["Tag.\(number).Key"] {
            guard number <= 20 else { throw .invalid("Tag", "there are more than 20") }
            guard let value = context["Tag.\(number).Value"] ?? (valuesAreOptional ? "" : nil) else {
                throw .missingParameter("Tag.\(number).Value")
            }
            tags[key] = value
            number += 1
        }
        return tags
    }

    fileprivate func checkResourceType() throws(RPCError) {
        guard try required("ResourceType") == "key" else { throw .invalid("ResourceType", "only keys have tags here") }
    }

    /// The keys of `ResourceId.1`, `ResourceId.2`, …, all of which the caller may do this to.
    fileprivate func namedKeys() throws -> [KeyRecord] {
        try checkResourceType()
        let names = try list("ResourceId", limit: 50)
        guard !names.isEmpty else { throw RPCError.missingParameter("ResourceId.1") }
        return try names.map { text in
            let name = try KeyName(parsing: text, as: "ResourceId")
            guard !name.isAlias else { throw KeyError.aliasNotSupported }
            let record: KeyRecord
            do { record = try keys.find(name, as: text, account: account, region: region) } catch {
                try authorizeTagging(on: arn("key/" + text))
                throw error
            }
            guard record.account == account else { throw RPCError.noPermission }
            try authorizeTagging(on: record.arn)
            return record
        }
    }

    /// The system policies grant these calls as `ecs:…`, everybody else as `kms:…`: either will do (kms.md section 9).
    fileprivate func authorizeTagging(on resource: String) throws {
        do { try authorize(on: resource) } catch let denial as AccessDenial {
            guard denial.kind == .implicitDeny,
                (try? context.authorize([AccessRequest("ecs:" + action, on: resource)])) != nil
            else { throw denial }
        }
    }
}
