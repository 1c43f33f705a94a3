// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import ObjectStorage
import Testing
import Trails

@Suite struct `Permission to deliver` {
    private struct NoPolicies: IdentityPolicies {
        func policies(of caller: Caller) throws -> CallerPolicies { CallerPolicies() }
    }

    private let world: World
    private let permission: DeliveryPermission
    private static let other = "2000000000000002"

    init() throws {
        world = try World()
        let time = world.time
        permission = DeliveryPermission(authorizer: Authorizer(policies: NoPolicies()), now: { time.date })
    }

    private func check(policy: String?, account owner: String = account) throws {
        try world.store.setPolicy(policy, bucket: "bucket-a")
        let bucket = try #require(try world.store.bucket("bucket-a"))
        try permission.check(bucket, key: "AliyunLogs/x", account: owner)
    }

    private func policy(_ effect: String, _ principal: String, action: String = "oss:PutObject") -> String {
        """
        {"Version":"1","Statement":[{"Effect":"\(effect)","Principal":\(principal),"Action":["\(action)"],
        "Resource":["acs:oss:*:*:bucket-a/*"]}]}
        """
    }

    @Test func `comes with the service's role in the trail's own account`() throws {
        try check(policy: nil)
        try check(policy: policy("Allow", #"["20000"]"#))
    }

    @Test func `is taken away by a bucket policy`() {
        #expect(throws: DeliveryForbidden.self) { try check(policy: policy("Deny", #"["*"]"#)) }
        #expect(throws: DeliveryForbidden.self) { try check(policy: policy("Deny", #"["*"]"#, action: "oss:*")) }
        #expect(throws: Never.self) { try check(policy: policy("Deny", #"["*"]"#, action: "oss:GetObject")) }
    }

    @Test func `for a bucket of another account is that account's to give`() {
        #expect(throws: DeliveryForbidden.self) { try check(policy: nil, account: Self.other) }
        #expect(throws: DeliveryForbidden.self) {
            try check(policy: policy("Allow", #"["\#(account)"]"#), account: Self.other)
        }
    }

    @Test func `is asked before each object`() async throws {
        try world.store.setPolicy(policy("Deny", #"["*"]"#), bucket: "bucket-a")
        let (time, permission) = (world.time, permission)
        let target = EmbeddedTarget(
            store: world.store, bucket: "bucket-a", mayPut: { try permission.check($0, key: $1, account: account) },
            now: { time.date })
        await #expect(throws: DeliveryForbidden.self) {
            _ = try await target.put("AliyunLogs/x", [1], contentType: "application/json")
        }
        #expect(try world.store.object(bucket: "bucket-a", key: "AliyunLogs/x") == nil)
        try world.store.setPolicy(nil, bucket: "bucket-a")
        #expect(try await target.put("AliyunLogs/x", [1], contentType: "application/json").isNew)
    }
}
