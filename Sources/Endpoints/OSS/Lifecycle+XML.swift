// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import ObjectStorage

/// Reading a bucket's lifecycle: oss.md section 11.
extension Lifecycle {
    private static let ruleLimit = 1000
    private static let known: Set = [
        "ID", "Prefix", "Status", "Expiration", "AbortMultipartUpload", "NoncurrentVersionExpiration", "Tag",
    ]

    /// - Throws: `MalformedXML`; `NotImplemented` for what would be stored and not done, such as a transition.
    init(parsing content: [UInt8]) throws(OSSError) {
        let xml = try XMLElement(parsing: content)
        guard xml.name == "LifecycleConfiguration", (1...Self.ruleLimit).contains(xml.children.count) else {
            throw OSSHandler.malformed("LifecycleConfiguration has 1 to \(Self.ruleLimit) rules")
        }
        var rules: [LifecycleRule] = []
        for rule in xml.children { rules.append(try Self.rule(rule)) }
        guard Set(rules.map(\.id)).count == rules.count else { throw OSSHandler.malformed("two rules have one ID") }
        self.init(document: String(decoding: content, as: UTF8.self), rules: rules)
    }

    private static func rule(_ xml: XMLElement) throws(OSSError) -> LifecycleRule {
        guard xml.name == "Rule", let status = xml.value("Status"), ["Enabled", "Disabled"].contains(status) else {
            throw OSSHandler.malformed("a rule has no Status of Enabled or Disabled")
        }
        for child in xml.children where !known.contains(child.name) {
            throw .notImplemented("The lifecycle element \(child.name)")
        }
        var rule = LifecycleRule(
            id: xml.value("ID") ?? UUID().uuidString, prefix: xml["Prefix"]?.text ?? "", isEnabled: status == "Enabled")
        guard rule.id.utf8.count <= 255 else { throw OSSHandler.malformed("an ID is longer than 255 bytes") }
        for tag in xml.children where tag.name == "Tag" {
            guard let key = tag.value("Key") else { throw OSSHandler.malformed("a Tag has no Key") }
            rule.tags[key] = tag["Value"]?.text ?? ""
        }
        if let expiration = xml["Expiration"] {
            rule.removesExpiredDeleteMarkers = expiration.value("ExpiredObjectDeleteMarker")?.lowercased() == "true"
            rule.expiration = try due(expiration, isRequired: !rule.removesExpiredDeleteMarkers)
        }
        if let abort = xml["AbortMultipartUpload"] { rule.abortsUploads = try due(abort, isRequired: true) }
        if let noncurrent = xml["NoncurrentVersionExpiration"] {
            rule.noncurrentDays = try days(noncurrent.value("NoncurrentDays"))
        }
        return rule
    }

    private static func due(_ xml: XMLElement, isRequired: Bool) throws(OSSError) -> LifecycleRule.Due? {
        if let text = xml.value("Days") { return .days(try days(text)) }
        for (name, made) in [("Date", LifecycleRule.Due.date), ("CreatedBeforeDate", LifecycleRule.Due.createdBefore)] {
            guard let text = xml.value(name) else { continue }
            // `2026-01-02T00:00:00.000Z`: the fraction is always zero.
            let whole = text.replacingOccurrences(of: ".000Z", with: "Z")
            guard let time = WireTime(iso8601: whole) else { throw OSSHandler.malformed("\(name) is no time") }
            return made(Date(timeIntervalSince1970: Double(time.secondsSince1970)))
        }
        guard !isRequired else { throw OSSHandler.malformed("\(xml.name) says neither Days nor a date") }
        return nil
    }

    private static func days(_ text: String?) throws(OSSError) -> Int {
        guard let days = text.flatMap({ Int($0) }), days > 0, days <= Int(Int32.max) else {
            throw OSSHandler.malformed("a number of days is missing, or not positive")
        }
        return days
    }
}
