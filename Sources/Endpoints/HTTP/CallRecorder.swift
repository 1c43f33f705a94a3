// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import AuditEvent
import EventHistory
import Foundation
import Logging
import Metrics
import Synchronization

/// A call on one of our ports, as an event will tell it.
struct CallRecord: Sendable {
    var requestId: String
    var serviceName: String
    var eventName: String
    var apiVersion: String?
    var isWrite: Bool
    var host: String
    var sourceAddress: String
    var userAgent: String?
    var isTLS: Bool
    var caller: Caller?
    /// The key an unauthenticated caller claimed to hold.
    var claimedAccessKeyId: String?
    var parameters: [WireParameters.Parameter] = []
    var resources: [(type: String, name: String)] = []
    var errorCode: String?
    var errorMessage: String?

    init(_ request: WireRequest, requestId: String, serviceName: String) {
        self.requestId = requestId
        self.serviceName = serviceName
        eventName = request.method
        isWrite = !["GET", "HEAD"].contains(request.method)
        host = request.header("host") ?? ""
        sourceAddress = request.peerAddress
        userAgent = request.header("user-agent")
        isTLS = request.isTLS
    }
}

/// Records the calls made on Cairn itself as events of the account they concern.
///
/// A call that changes something is answered after its record is durable. A record that cannot be written now is kept
/// in memory, up to a limit, and tried again: while any waits, changes are refused.
public final class CallRecorder: Sendable {
    static let waitingLimit = 10_000

    private let history: EventHistory
    private let accountId: String
    private let region: String
    private let logger: Logger
    private let now: @Sendable () -> Date
    private let inFlight = Atomic<Int>(0)
    private let waiting = Mutex<[(account: String, event: [UInt8])]>([])
    private let unrecorded = Counter(label: "cairn_calls_unrecorded_total")

    public init(
        history: EventHistory, accountId: String, region: String, logger: Logger, now: @escaping @Sendable () -> Date
    ) {
        self.history = history
        self.accountId = accountId
        self.region = region
        self.logger = logger
        self.now = now
    }

    /// Whether changes may be made: the record of the last call could be written.
    var canRecord: Bool { history.canRecord && waiting.withLock { $0.isEmpty } }

    /// Records a call; returns its sequence once durable, nil if it has to wait for better times.
    @discardableResult
    func record(_ call: CallRecord) async -> UInt64? {
        let account = call.caller.map(\.accountId).flatMap { $0.isEmpty ? nil : $0 } ?? accountId
        let event = encode(call, account: account)
        do { return try await write(event, account: account) } catch {
            logger.error("a call could not be recorded", metadata: ["call": "\(call.eventName)", "error": "\(error)"])
            let isKept = waiting.withLock { waiting in
                guard waiting.count < Self.waitingLimit else { return false }
                waiting.append((account, event))
                return true
            }
            if !isKept { unrecorded.increment() }
            return nil
        }
    }

    /// Records a call that changes nothing: its answer need not wait for the disk.
    func recordLater(_ call: CallRecord) {
        inFlight.wrappingAdd(1, ordering: .relaxed)
        Task {
            await record(call)
            inFlight.wrappingSubtract(1, ordering: .relaxed)
        }
    }

    /// Waits until every call answered so far is recorded, at most some seconds; for a clean stop.
    public func drain() async {
        for _ in 0..<500 where inFlight.load(ordering: .relaxed) > 0 { try? await Task.sleep(for: .milliseconds(10)) }
        await retry()
    }

    /// Tries again what could not be recorded; called from time to time.
    public func retry() async {
        while let next = waiting.withLock({ $0.first }) {
            do { _ = try await write(next.event, account: next.account) } catch { return }
            waiting.withLock { _ = $0.removeFirst() }
        }
    }

    private func write(_ event: [UInt8], account: String) async throws -> UInt64? {
        let context = ReceivingContext(
            accountId: account, region: region, nowMilliseconds: Int64(now().timeIntervalSince1970 * 1000))
        let batch = EventParser().parse(event, format: .actiontrail, context: context)
        return try await history.record(batch, account: account).lastSequence
    }

    // MARK: The event

    private static let textLimit = 1024
    private static let parameterLimit = 100

    /// Parameters that would tell a secret or say nothing.
    private static func isConfidential(_ name: String) -> Bool {
        let lower = name.lowercased()
        if ["nexttoken", "clienttoken", "continuation-token"].contains(lower) { return false }
        return ["secret", "password", "token", "signature", "plaintext", "keymaterial", "credential", "authorization"]
            .contains { lower.contains($0) }
    }

    private func encode(_ call: CallRecord, account: String) -> [UInt8] {
        var parameters = JSONFields()
        for parameter in call.parameters.prefix(Self.parameterLimit) where !Self.isConfidential(parameter.name) {
            parameters.add(String(parameter.value.prefix(Self.textLimit)), String(parameter.name.prefix(128)))
        }
        var event = JSONFields()
        event.add(call.requestId, "eventId")
        event.add("1", "eventVersion")
        event.add("Management", "eventCategory")
        event.add(call.eventName, "eventName")
        event.add(call.isWrite ? "Write" : "Read", "eventRW")
        event.add("ApiCall", "eventType")
        event.add(String(call.host.prefix(256)), "eventSource")
        event.add(wireTime(now()), "eventTime")
        event.add(region, "acsRegion")
        event.add(false, "isGlobal")
        event.add(call.serviceName, "serviceName")
        event.add(call.apiVersion.map { String($0.prefix(64)) }, "apiVersion")
        event.add(call.requestId, "requestId")
        event.add(call.sourceAddress, "sourceIpAddress")
        event.add(call.userAgent.map { String($0.prefix(Self.textLimit)) }, "userAgent")
        event.add(parameters, "requestParameters")
        event.add(String(decoding: parameters.finished, as: UTF8.self), "requestParameterJson")
        if let code = call.errorCode {
            event.add(code, "errorCode")
            event.add(call.errorMessage.map { String($0.prefix(Self.textLimit)) }, "errorMessage")
        }
        if !call.resources.isEmpty {
            var byType = JSONFields()
            for (type, names) in Dictionary(grouping: call.resources, by: \.type).sorted(by: { $0.key < $1.key }) {
                byType.add(
                    raw: JSONFields.array(
                        names.map { resource in
                            var text: [UInt8] = []
                            JSONFields.append(text: String(resource.name.prefix(Self.textLimit)), to: &text)
                            return text
                        }), type)
            }
            event.add(byType, "referencedResources")
        }
        event.add(account, "recipientAccountId")
        var additional = JSONFields()
        additional.add(call.isTLS ? "https" : "http", "Scheme")
        event.add(additional, "additionalEventData")
        event.add(identity(of: call), "userIdentity")
        return event.finished
    }

    private func identity(of call: CallRecord) -> JSONFields {
        var identity = JSONFields()
        guard let caller = call.caller else {
            identity.add("anonymous", "type")
            identity.add(call.claimedAccessKeyId.map { String($0.prefix(128)) }, "accessKeyId")
            return identity
        }
        identity.add(caller.kind.rawValue, "type")
        identity.add(caller.principalId, "principalId")
        identity.add(caller.accountId, "accountId")
        identity.add(caller.userName, "userName")
        identity.add(caller.accessKeyId, "accessKeyId")
        if let session = caller.session {
            var attributes = JSONFields()
            attributes.add(session.isMultiFactor ? "true" : "false", "mfaAuthenticated")
            attributes.add(session.createdAt.iso8601, "creationDate")
            var context = JSONFields()
            context.add(attributes, "attributes")
            identity.add(context, "sessionContext")
        }
        return identity
    }
}
