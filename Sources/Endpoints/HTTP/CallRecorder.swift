// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import AuditEvent
import EventHistory
import Foundation
import Logging
import Metadata
import Metrics
import Synchronization

/// A call on one of our ports, as an event will tell it.
struct CallRecord: Sendable {
    let eventId: String
    /// As the answer tells it; another form than the event's id on the oss port.
    var requestId: String
    var serviceName: String
    var eventName: String
    var apiVersion: String?
    var isWrite: Bool
    var host: String
    var sourceAddress: String
    var userAgent: String?
    var isTLS: Bool
    /// Nobody called: the service tells of itself.
    var isOwn = false
    /// Set by ``CallRecorder/begin(_:)``: a note of the change stands until its record does.
    var isNoted = false
    var caller: Caller?
    /// The key an unauthenticated caller claimed to hold.
    var claimedAccessKeyId: String?
    var parameters: [WireParameters.Parameter] = []
    var resources: [(type: String, name: String)] = []
    var errorCode: String?
    var errorMessage: String?
    /// How the change weakens a trail, such as `stops the trail audit`; nil for everything else.
    var weakening: String?

    init(_ request: WireRequest, requestId: String, serviceName: String) {
        eventId = UUID(uuidString: requestId) == nil ? UUID().uuidString : requestId
        self.requestId = requestId
        self.serviceName = serviceName
        eventName = request.method
        isWrite = !["GET", "HEAD"].contains(request.method)
        host = request.header("host") ?? ""
        sourceAddress = request.peerAddress
        userAgent = request.header("user-agent")
        isTLS = request.isTLS
    }

    init(ownEvent name: String, service: String, weakening: String?) {
        eventId = UUID().uuidString
        requestId = eventId
        serviceName = service
        eventName = name
        isWrite = true
        host = ""
        sourceAddress = ""
        isTLS = false
        isOwn = true
        self.weakening = weakening
    }
}

/// Records the calls made on Cairn itself as events of the account they concern.
///
/// A call that changes something is noted in the metadata before the change, and answered after its record is durable:
/// if the service is killed in between, the next start records the note, as a change of which nobody knows whether it
/// was made. A record that cannot be written now is kept in memory, up to a limit, and tried again: while any waits,
/// changes are refused.
public final class CallRecorder: Sendable {
    static let waitingLimit = 10_000

    private let history: EventHistory
    private let metadata: Metadata
    private let accountId: String
    private let region: String
    private let logger: Logger
    private let now: @Sendable () -> Date
    /// Calls that were noted and are recorded: their notes can go.
    private let settled = Mutex<[String]>([])
    private let inFlight = Atomic<Int>(0)
    private let waiting = Mutex<[(account: String, event: [UInt8])]>([])
    private let unrecorded = Counter(label: "cairn_calls_unrecorded_total")

    public init(
        history: EventHistory, metadata: Metadata, accountId: String, region: String, logger: Logger,
        now: @escaping @Sendable () -> Date
    ) {
        self.history = history
        self.metadata = metadata
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
        let account = account(of: call)
        let event = encode(call, account: account)
        if call.weakening != nil, call.errorCode == nil { weakenings(call.eventName).increment() }
        do {
            let sequence = try await write(event, account: account)
            if call.isNoted { settled.withLock { $0.append(call.eventId) } }
            return sequence
        } catch {
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

    private func account(of call: CallRecord) -> String {
        call.caller.map(\.accountId).flatMap { $0.isEmpty ? nil : $0 } ?? accountId
    }

    private func weakenings(_ event: String) -> Counter {
        Counter(label: "cairn_trail_weakened_total", dimensions: [("event", event)])
    }

    // MARK: Notes of changes

    private struct Note: Codable {
        var account: String
        var event: Data
    }

    private static let notes = "begun-calls/"

    /// Notes a change that is about to be made.
    ///
    /// - Throws: if the note cannot be kept; then the change must not be made.
    func begin(_ call: inout CallRecord) throws {
        let account = account(of: call)
        let note = Note(account: account, event: Data(encode(call, account: account, isOutcomeKnown: false)))
        try metadata.transact { try $0.put(note, at: Self.notes + call.eventId) }
        call.isNoted = true
    }

    /// Records the changes that were begun before the service was killed, unless their records are there.
    public func recordForgotten() async throws {
        let entries = try metadata.entries(prefix: Self.notes)
        for entry in entries {
            let id = String(entry.key.dropFirst(Self.notes.count))
            let note = try JSONDecoder().decode(Note.self, from: Data(entry.value))
            let page = try history.lookUp(
                LookupQuery(account: note.account, conditions: [.init(.eventId, id)], times: 0...Int64.max, limit: 1))
            if page.events.isEmpty { _ = try await write([UInt8](note.event), account: note.account) }
        }
        guard !entries.isEmpty else { return }
        try metadata.transact { for entry in entries { try $0.delete(entry.key) } }
    }

    private func dropSettledNotes() {
        let ids = settled.withLock { settled in
            defer { settled = [] }
            return settled
        }
        guard !ids.isEmpty else { return }
        do { try metadata.transact { for id in ids { try $0.delete(Self.notes + id) } } } catch {
            // They go with the next ones, or at the next start.
            settled.withLock { $0 += ids }
        }
    }

    /// Records something that the service itself did or found.
    public func recordOwn(
        _ name: String, service: String, parameters: [(name: String, value: String)], weakening: String? = nil
    ) async {
        var call = CallRecord(ownEvent: name, service: service, weakening: weakening)
        call.caller = .service("cairn", accountId: accountId)
        call.parameters = parameters.map { .init($0.name, $0.value) }
        await record(call)
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
        dropSettledNotes()
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

    /// Parameters that would tell a secret or say nothing have one of these in their names.
    private static let confidential = [
        "secret", "password", "token", "signature", "plaintext", "keymaterial", "credential", "authorization",
        "authenticationcode",
    ].map { Array($0.utf8) }

    private static func isConfidential(_ name: String) -> Bool {
        let lower = name.lowercased()
        if ["nexttoken", "clienttoken", "continuation-token"].contains(lower) { return false }
        // Byte by byte: each call has a dozen parameters, and a search by characters takes a hundred times as long.
        let bytes = Array(lower.utf8)
        return bytes.indices.contains { place in confidential.contains { bytes[place...].starts(with: $0) } }
    }

    private func encode(_ call: CallRecord, account: String, isOutcomeKnown: Bool = true) -> [UInt8] {
        var parameters = JSONFields()
        for parameter in call.parameters.prefix(Self.parameterLimit) where !Self.isConfidential(parameter.name) {
            parameters.add(String(parameter.value.prefix(Self.textLimit)), String(parameter.name.prefix(128)))
        }
        var event = JSONFields()
        event.add(call.eventId, "eventId")
        event.add("1", "eventVersion")
        event.add("Management", "eventCategory")
        event.add(call.eventName, "eventName")
        event.add(call.isWrite ? "Write" : "Read", "eventRW")
        event.add(call.isOwn ? "AliyunServiceEvent" : "ApiCall", "eventType")
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
        if !call.host.isEmpty { additional.add(call.isTLS ? "https" : "http", "Scheme") }
        additional.add(call.weakening, "Weakening")
        if !isOutcomeKnown { additional.add("unknown: the service ended before the call was answered", "Outcome") }
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
