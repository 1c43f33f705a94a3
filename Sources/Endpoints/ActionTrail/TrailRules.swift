// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Trails

/// Rules for a trail's parameters; source: actiontrail.md sections 6.4 and 8.1.
enum TrailRules {
    static func checkName(_ name: String) throws(RPCError) {
        let isValid =
            (6...36).contains(name.utf8.count) && name.utf8.first.map(isLower) ?? false
            && name.utf8.allSatisfy { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        guard isValid else {
            throw RPCError(
                400, "InvalidTrailNameException",
                "The trail name must be 6 to 36 characters: a lowercase letter, then lowercase letters, digits, hyphens and underscores."
            )
        }
    }

    static func checkPrefix(_ prefix: String) throws(RPCError) {
        guard !prefix.isEmpty else { return }
        let isValid =
            (6...32).contains(prefix.utf8.count) && prefix.utf8.first.map(isLetter) ?? false
            && prefix.utf8.allSatisfy { isLetter($0) || isDigit($0) || "-/_".utf8.contains($0) }
        guard isValid else {
            throw RPCError(
                400, "InvalidPrefixException",
                "The OSS key prefix must be 6 to 32 characters: a letter, then letters, digits, hyphens, slashes and underscores."
            )
        }
    }

    static func checkDestination(_ trail: Trail) throws(RPCError) {
        guard !(trail.ossBucketName.isEmpty && trail.slsProjectArn.isEmpty && trail.maxComputeProjectArn.isEmpty) else {
            throw RPCError(
                400, "InvalidDeliveryConfigurationException",
                "At least one Log Service project or OSS bucket must be specified.")
        }
    }

    static func checkOtherDestinations(_ trail: Trail) throws(RPCError) {
        guard trail.maxComputeProjectArn.isEmpty else {
            throw .invalidParameter("Delivery to MaxCompute is not offered by this service.")
        }
    }

    /// How an update makes a trail deliver less than before; nil if it does not.
    static func weakening(from old: Trail, to new: Trail) -> String? {
        var changes: [String] = []
        if old.selection != new.selection, new.selection != .all {
            changes.append("delivers \(new.selection.rawValue) events instead of \(old.selection.rawValue)")
        }
        if let kept = new.regions, !(old.regions?.isSubset(of: kept) ?? false) {
            changes.append("leaves out regions: \(new.trailRegion) instead of \(old.trailRegion)")
        }
        if !old.ossBucketName.isEmpty, new.ossBucketName != old.ossBucketName {
            changes.append(
                new.ossBucketName.isEmpty
                    ? "delivers no more to the bucket \(old.ossBucketName)"
                    : "delivers to the bucket \(new.ossBucketName) instead of \(old.ossBucketName)")
        }
        if !old.slsProjectArn.isEmpty, new.slsProjectArn != old.slsProjectArn {
            changes.append(
                new.slsProjectArn.isEmpty
                    ? "delivers no more to \(old.slsProjectArn)"
                    : "delivers to \(new.slsProjectArn) instead of \(old.slsProjectArn)")
        }
        return changes.isEmpty ? nil : "the trail \(new.name) " + changes.joined(separator: ", and ")
    }

    static func selection(_ text: String) throws(RPCError) -> Trail.Selection {
        guard let selection = Trail.Selection(rawValue: text) else {
            throw .invalidParameter("EventRW must be Write, Read or All.")
        }
        return selection
    }

    static func region(_ text: String) throws(RPCError) -> String {
        let isValid = text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { part in
            let part = part.trimmingCharacters(in: .whitespaces)
            return !part.isEmpty && part.utf8.count <= 64
                && part.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
        }
        guard isValid else { throw .invalidParameter("TrailRegion must be All or region ids separated by commas.") }
        return text
    }

    private static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { isLower(byte | 0x20) }
}

extension JSONFields {
    /// The fields that CreateTrail and UpdateTrail answer with.
    init(destinationOf trail: Trail) {
        self.init()
        add(trail.name, "Name")
        add(trail.homeRegion, "HomeRegion")
        add(trail.trailRegion, "TrailRegion")
        add(trail.selection.rawValue, "EventRW")
        add(trail.ossBucketName, "OssBucketName")
        add(trail.ossKeyPrefix, "OssKeyPrefix")
        add(trail.ossWriteRoleArn, "OssWriteRoleArn")
        add(trail.slsProjectArn, "SlsProjectArn")
        add(trail.slsWriteRoleArn, "SlsWriteRoleArn")
        add(trail.maxComputeProjectArn, "MaxComputeProjectArn")
        add(trail.maxComputeWriteRoleArn, "MaxComputeWriteRoleArn")
    }
}
