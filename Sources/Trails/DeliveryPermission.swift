// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import ObjectStorage

/// Whether the policies let the service write what a trail delivers: asked when a trail is made, and again before each
/// delivery, so that taking the permission away stops it.
///
/// The service acts under its service-linked role, whose policy lets it put objects anywhere in the trail's account; a
/// bucket policy can deny that, and one of another account must grant it. In logstores of trails it may write as well.
public struct DeliveryPermission: Sendable {
    public static let serviceName = "actiontrail.aliyuncs.com"

    private let authorizer: Authorizer
    private let now: @Sendable () -> Date

    public init(authorizer: Authorizer, now: @escaping @Sendable () -> Date) {
        self.authorizer = authorizer
        self.now = now
    }

    /// Whether the service may put what a trail with this `OssKeyPrefix` delivers.
    public func check(_ bucket: Bucket, keyPrefix: String, account: String) throws {
        try check(bucket, key: keyPrefix.isEmpty ? "AliyunLogs/" : keyPrefix + "/AliyunLogs/", account: account)
    }

    /// - Parameters:
    ///   - key: of the object, or the prefix that objects will have.
    ///   - account: of the trail.
    /// - Throws: ``DeliveryForbidden`` unless the service may put such an object; an error of the policies' reader.
    public func check(_ bucket: Bucket, key: String, account: String) throws {
        let policy = try bucket.policy.map { ResourcePolicy(try PolicyDocument(parsing: $0, as: .bucket), owner: bucket.owner) }
        let request = AccessRequest("oss:PutObject", on: "acs:oss:*:\(bucket.owner):\(bucket.name)/\(key)")
        if let reason = try refusal(of: request, account: account, resourcePolicy: policy) {
            throw DeliveryForbidden(what: "put objects into the bucket `\(bucket.name)`", reason: reason)
        }
    }

    /// Whether the service may write a trail's events to its logstore.
    public func check(_ owner: LogDeliveryTargets.Owner) throws {
        let project = owner.project
        let request = AccessRequest(
            "log:PostLogStoreLogs",
            on: "acs:log:\(project.region):\(project.account):project/\(project.name)/logstore/\(owner.logstore)")
        if let reason = try refusal(of: request, account: owner.account, resourcePolicy: nil) {
            throw DeliveryForbidden(
                what: "write to the logstore `\(owner.logstore)` of the project `\(project.name)`", reason: reason)
        }
    }

    private func refusal(
        of request: AccessRequest, account: String, resourcePolicy: ResourcePolicy?
    ) throws -> String? {
        let verdict = try authorizer.decide(
            .service(Self.serviceName, accountId: account), [request],
            in: RequestCircumstances(
                sourceAddress: "", isSecureTransport: true,
                at: WireTime(secondsSince1970: Int64(now().timeIntervalSince1970))),
            resourcePolicy: resourcePolicy)
        switch verdict {
        case .allowed: return nil
        case .denied(let denial), .undecided(let denial): return denial.reason
        }
    }
}

/// The policies do not let the service write what a trail delivers.
public struct DeliveryForbidden: Error, CustomStringConvertible {
    /// `put objects into the bucket \`audit\``
    public let what: String
    public let reason: String

    public var description: String { "\(DeliveryPermission.serviceName) may not \(what): \(reason)" }
}
