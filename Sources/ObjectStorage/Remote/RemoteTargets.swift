// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import Logging

/// Makes the targets of configured remote buckets.
public enum RemoteTargets {
    /// - Parameters:
    ///   - environment: where secrets that are in variables are taken from; nothing else of it is kept.
    /// - Returns: targets by the name that trails use.
    /// - Throws: ``RemoteError`` if a secret cannot be read, so that it is told at the start.
    public static func make(
        _ buckets: [RemoteBucket], environment: [String: String], logger: Logger
    ) throws(RemoteError) -> [String: any DeliveryTarget] {
        try make(buckets, environment: environment, logger: logger, policy: RetryPolicy(), now: WireTime.now)
    }

    package static func make(
        _ buckets: [RemoteBucket], environment: [String: String], logger: Logger, policy: RetryPolicy,
        now: @escaping @Sendable () -> WireTime
    ) throws(RemoteError) -> [String: any DeliveryTarget] {
        var targets: [String: any DeliveryTarget] = [:]
        // Connections are pooled for all buckets that trust the same authorities.
        var transports: [String: RemoteTransport] = [:]
        for bucket in buckets {
            let file = bucket.caFile ?? ""
            try bucket.access.check(bucket.place)
            let transport = transports[file] ?? RemoteTransport(caFile: bucket.caFile, requestTimeout: policy.requestTimeout)
            transports[file] = transport
            func exchange() -> RemoteExchange {
                RemoteExchange(transport: transport, policy: policy, clock: RemoteClock(now), place: bucket.place)
            }
            let credentials = try bucket.access.source(environment: environment, exchange: exchange(), logger: logger)
            let store = RemoteStore(bucket: bucket, exchange: exchange(), credentials: credentials, logger: logger)
            targets[bucket.name] = bucket.kind == .s3 ? S3Target(store: store) : OSSTarget(store: store)
        }
        return targets
    }
}
