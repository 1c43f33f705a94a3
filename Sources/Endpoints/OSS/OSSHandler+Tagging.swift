// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import ObjectStorage

/// Tags of buckets and objects: at most ten of an object, twenty of a bucket.
extension OSSHandler {
    private static let objectTags = 10
    private static let bucketTags = 20

    /// What `x-oss-tagging` asks for, encoded like a query.
    func tagsOfHeader() throws(OSSError) -> [String: String] {
        guard let text = call.request.header("x-oss-tagging"), !text.isEmpty else { return [:] }
        var tags: [String: String] = [:]
        let parameters: WireParameters
        do { parameters = try WireParameters(decoding: text) } catch {
            throw .invalidArgument("The tagging header is malformed.", name: "x-oss-tagging", value: text)
        }
        for parameter in parameters.all {
            guard tags.updateValue(parameter.value, forKey: parameter.name) == nil else {
                throw OSSError(400, "InvalidTag", "The tag \(parameter.name) is there twice.")
            }
        }
        try Self.check(tags, atMost: Self.objectTags)
        return tags
    }

    func tags(_ xml: XMLElement, ofObject: Bool) throws -> [String: String] {
        guard xml.name == "Tagging", let set = xml["TagSet"] else { throw Self.malformed("Tagging/TagSet is missing") }
        var tags: [String: String] = [:]
        for tag in set.children {
            guard tag.name == "Tag", let key = tag.value("Key"), let value = tag["Value"]?.text else {
                throw Self.malformed("a tag has no Key or no Value")
            }
            guard tags.updateValue(value, forKey: key) == nil else {
                throw OSSError(400, "InvalidTag", "The tag \(key) is there twice.")
            }
        }
        try Self.check(tags, atMost: ofObject ? Self.objectTags : Self.bucketTags)
        return tags
    }

    static func tagging(_ tags: [String: String]) -> XMLText {
        XMLText("Tagging") { xml in
            xml.element("TagSet") { xml in
                for (key, value) in tags.sorted(by: { $0.key < $1.key }) {
                    xml.element("Tag") { xml in
                        xml.element("Key", key)
                        xml.element("Value", value)
                    }
                }
            }
        }
    }

    private static func check(_ tags: [String: String], atMost limit: Int) throws(OSSError) {
        guard tags.count <= limit else { throw OSSError(400, "InvalidTag", "There are more than \(limit) tags.") }
        for (key, value) in tags where !(1...128).contains(key.unicodeScalars.count) || value.unicodeScalars.count > 256 {
            throw OSSError(400, "InvalidTag", "A key has 1 to 128 characters, a value at most 256.")
        }
    }
}
