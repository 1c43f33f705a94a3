// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import EventHistory
import Foundation
import KeyManagement
import LogService
import Logging
import Metadata
import ObjectStorage
import Trails

/// Which question does this room answer? *How does each wire protocol become a call on a room below, and its answer
/// bytes?* A folder a service, a file an operation.
///
/// What the endpoints are built on, put together once by `CairnServer`.
public struct EndpointServices: Sendable {
    public var history: EventHistory
    public var quarantine: Quarantine
    public var trails: TrailRegistry
    public var objects: EmbeddedObjectStore
    public var targets: DeliveryTargets
    public var logs: LogService
    public var logTargets: LogDeliveryTargets
    public var authenticator: Authenticator
    public var authorizer: Authorizer
    public var keys: KeyService
    public var identities: IdentityStore
    public var metadata: Metadata
    public var recorder: CallRecorder
    public var budget: ByteBudget
    public var logger: Logger
    public var region: String
    public var accountId: String
    public var retentionDays: Int
    public var ossAddressing: OSSAddressing
    public var slsAddressing: SLSAddressing
    public var now: @Sendable () -> Date

    public init(
        history: EventHistory, quarantine: Quarantine, trails: TrailRegistry, objects: EmbeddedObjectStore,
        targets: DeliveryTargets, logs: LogService, logTargets: LogDeliveryTargets, authenticator: Authenticator,
        authorizer: Authorizer, keys: KeyService,
        identities: IdentityStore, metadata: Metadata,
        recorder: CallRecorder,
        budget: ByteBudget, logger: Logger, region: String, accountId: String, retentionDays: Int,
        ossAddressing: OSSAddressing = OSSAddressing(),
        slsAddressing: SLSAddressing = SLSAddressing(),
        now: @escaping @Sendable () -> Date
    ) {
        self.history = history
        self.quarantine = quarantine
        self.trails = trails
        self.objects = objects
        self.targets = targets
        self.logs = logs
        self.logTargets = logTargets
        self.authenticator = authenticator
        self.authorizer = authorizer
        self.keys = keys
        self.identities = identities
        self.metadata = metadata
        self.recorder = recorder
        self.budget = budget
        self.logger = logger
        self.region = region
        self.accountId = accountId
        self.retentionDays = retentionDays
        self.ossAddressing = ossAddressing
        self.slsAddressing = slsAddressing
        self.now = now
    }

    var wireNow: WireTime { WireTime(secondsSince1970: nowMilliseconds / 1000) }

    var nowMilliseconds: Int64 { Int64(now().timeIntervalSince1970 * 1000) }
}
