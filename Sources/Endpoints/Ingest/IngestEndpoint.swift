// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import AuditEvent
import EventHistory
import Foundation
import Hummingbird
import LogEngine
import Trails

/// `POST /v1/events` and `POST /v1/sources/kubernetes`: a batch of events in, durable and proved before the answer.
struct IngestEndpoint: Sendable {
    /// Of the body as sent, and of the body decoded.
    static let bodyLimit = 64 << 20

    let services: EndpointServices
    /// Bodies below this are parsed at once.
    private static let shortBody = 32 << 10
    /// A compressed body may be a thousand times larger expanded: few at a time.
    private let expanding = Gate(2)

    init(services: EndpointServices) { self.services = services }

    private struct Refusal: Error {
        var status: Int
        var code: String
        var message: String
        var wireMessage: String?
        var denial: AccessDenial?

        init(_ status: Int, _ code: String, _ message: String, wireMessage: String? = nil, denial: AccessDenial? = nil) {
            self.status = status
            self.code = code
            self.message = message
            self.wireMessage = wireMessage
            self.denial = denial
        }
    }

    /// - Parameter forced: the format of a source's own path; nil leaves it to `?format=` or the records themselves.
    func answer(_ request: WireRequest, body: RequestBody, forced: EventFormat?) async -> WireAnswer {
        let requestId = UUID().uuidString
        var record = CallRecord(request, requestId: requestId, serviceName: "Actiontrail")
        record.eventName = "PutEvents"
        record.apiVersion = "2020-07-06"
        do {
            guard request.method == "POST" else {
                throw Refusal(405, "MethodNotAllowed", "Events are sent with POST.")
            }
            return try await put(request, body, forced, &record)
        } catch let refusal as Refusal {
            record.errorCode = refusal.code
            record.errorMessage = refusal.message
            await services.recorder.record(record)
            var fields = JSONFields()
            fields.add(requestId, "RequestId")
            fields.add(refusal.code, "Code")
            fields.add(refusal.wireMessage ?? refusal.message, "Message")
            if let denial = refusal.denial { fields.add(JSONFields(denial), "AccessDeniedDetail") }
            let headers = [429, 503].contains(refusal.status) ? [("Retry-After", "1")] : []
            return .json(fields, status: refusal.status, headers: headers)
        } catch {
            services.logger.error("events could not be put", metadata: ["error": "\(error)"])
            record.errorCode = "InternalFailure"
            await services.recorder.record(record)
            var fields = JSONFields()
            fields.add(requestId, "RequestId")
            fields.add("InternalFailure", "Code")
            fields.add("The events could not be put; sending them again doubles nothing.", "Message")
            return .json(fields, status: 500)
        }
    }

    private func put(
        _ request: WireRequest, _ body: RequestBody, _ forced: EventFormat?, _ record: inout CallRecord
    ) async throws -> WireAnswer {
        let format = try forced ?? Self.format(of: request)
        let coding = try Self.coding(of: request)
        var request = request
        // The body is only held where a signature covers it; the head alone decides about a token.
        let isToken = request.header("authorization")?.lowercased().hasPrefix("bearer ") ?? false
        var caller: Caller?
        if isToken { caller = try authenticate(request, &record) } else { try checkHead(request, &record) }
        let collected = try await collect(body, request)
        if caller == nil {
            request.body = collected.bytes
            caller = try authenticate(request, &record)
            request.body = []
        }
        guard let caller else { return .text("", status: 500) }
        let decoded = try await decode(collected, coding)
        // What was expanded, and the events made of it, count as much as what was received.
        let share = decoded.count + (coding == .identity ? 0 : decoded.count)
        guard services.budget.take(share) else {
            throw Refusal(429, "Throttling.User", "Too many requests are in memory; send the batch again.")
        }
        defer {
            services.budget.give(share)
            withExtendedLifetime(collected) {}
        }
        guard !decoded.isEmpty else { throw Refusal(400, "MissingBody", "The body holds no events.") }
        let context = ReceivingContext(
            accountId: caller.accountId, region: services.region, nowMilliseconds: services.nowMilliseconds)
        let batch =
            decoded.count < Self.shortBody
            ? EventParser().parse(decoded, format: format, context: context)
            : try await LongWork.run { EventParser().parse(decoded, format: format, context: context) }
        guard !batch.events.isEmpty || !batch.rejected.isEmpty else {
            throw Refusal(400, "MissingBody", "The body holds no events.")
        }
        let outcome: RecordOutcome
        do {
            try quarantine(batch, record, account: caller.accountId)
            outcome = try await services.history.record(batch, account: caller.accountId)
        } catch HistoryError.busy {
            throw Refusal(429, "Throttling.User", "Too many events are waiting to be written; send the batch again.")
        } catch let error as HistoryError {
            services.logger.error("events cannot be recorded", metadata: ["error": "\(error)"])
            throw Refusal(
                503, "ServiceUnavailable", "Events cannot be recorded at present (is the disk full?); send the batch again.")
        }
        return await succeed(batch, outcome, record)
    }

    private func succeed(_ batch: ParsedBatch, _ outcome: RecordOutcome, _ record: CallRecord) async -> WireAnswer {
        var record = record
        let rejectedCount = batch.rejected.reduce(0) { $0 + $1.count }
        record.parameters += [
            .init("Accepted", String(outcome.accepted)), .init("Duplicates", String(outcome.duplicates)),
            .init("Rejected", String(rejectedCount)),
        ]
        if outcome.conflicts > 0 { record.parameters.append(.init("Conflicts", String(outcome.conflicts))) }
        let isBad = batch.events.isEmpty
        if isBad {
            record.errorCode = "InvalidEvents"
            record.errorMessage = "Every record was rejected."
        }
        services.recorder.recordLater(record)
        var fields = JSONFields()
        fields.add(record.requestId, "RequestId")
        fields.add(outcome.accepted, "Accepted")
        fields.add(outcome.duplicates, "Duplicates")
        if outcome.conflicts > 0 { fields.add(outcome.conflicts, "Conflicts") }
        fields.add(
            batch.rejected.map { rejected in
                var line = JSONFields()
                line.add(rejected.line, "Line")
                line.add(rejected.code, "Code")
                line.add(rejected.message, "Message")
                return line
            }, "Rejected")
        if rejectedCount > batch.rejected.count { fields.add(rejectedCount, "RejectedCount") }
        if let first = outcome.firstSequence, let last = outcome.lastSequence {
            fields.add(first, "FirstSequence")
            fields.add(last, "LastSequence")
        }
        fields.add(outcome.treeSize, "TreeSize")
        return .json(fields, status: isBad ? 400 : 200)
    }

    // MARK: Steps

    private static func format(of request: WireRequest) throws -> EventFormat {
        guard let name = try? WireParameters(decoding: request.rawQuery)["format"], !name.isEmpty else { return .auto }
        guard let format = EventFormat(rawValue: name) else {
            throw Refusal(
                400, "InvalidFormat",
                "format must be one of \(EventFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return format
    }

    private enum Coding { case identity, gzip, zstd }

    private static func coding(of request: WireRequest) throws -> Coding {
        switch request.header("content-encoding")?.lowercased() {
        case nil, "", "identity": return .identity
        case "gzip", "x-gzip": return .gzip
        case "zstd": return .zstd
        default:
            throw Refusal(415, "UnsupportedContentEncoding", "Content-Encoding must be gzip or zstd.")
        }
    }

    private func authenticate(_ request: WireRequest, _ record: inout CallRecord) throws -> Caller {
        switch try services.authenticator.authenticateIngest(request) {
        case .authenticated(let authentication):
            record.caller = authentication.caller
            try authorize(authentication.caller, request)
            return authentication.caller
        case .refused(let failure):
            record.claimedAccessKeyId = failure.claimedAccessKeyId
            throw Refusal(failure.httpStatus, failure.code, failure.message, wireMessage: failure.wireMessage)
        }
    }

    private func authorize(_ caller: Caller, _ request: WireRequest) throws {
        let wanted = AccessRequest(
            "actiontrail:PutEvents", on: "acs:actiontrail:\(services.region):\(caller.accountId):*")
        let verdict = try services.authorizer.decide(
            caller, [wanted], in: RequestCircumstances(request, at: services.wireNow))
        switch verdict {
        case .allowed: return
        case .denied(let denial), .undecided(let denial):
            throw Refusal(403, "NoPermission", "You are not authorized to put events: \(denial.reason).", denial: denial)
        }
    }

    /// Refuses a stranger before the body is read: a signature may need the body, the key's name does not.
    private func checkHead(_ request: WireRequest, _ record: inout CallRecord) throws {
        let claimed = (try? RPCCall(request))?.claimedAccessKeyId
        if let claimed, try services.identities.accessKey(id: claimed) != nil { return }
        _ = try authenticate(request, &record)
    }

    private func collect(_ body: RequestBody, _ request: WireRequest) async throws -> CollectedBody {
        do throws(BodyFault) {
            return try await CollectedBody.read(
                body, limit: Self.bodyLimit, budget: services.budget,
                expected: request.header("content-length").flatMap { Int($0) })
        } catch {
            switch error {
            case .tooLarge(let limit):
                throw Refusal(413, "RequestBodyTooLarge", "A request is at most \(limit) bytes; send smaller batches.")
            case .busy:
                throw Refusal(429, "Throttling.User", "Too many requests are in memory; send the batch again.")
            case .broken:
                throw Refusal(400, "IncompleteBody", "The body ended early.")
            }
        }
    }

    private func decode(_ body: CollectedBody, _ coding: Coding) async throws -> [UInt8] {
        guard coding != .identity else {
            // Taken for lines, compressed bytes would only fill the quarantine.
            guard !body.bytes.starts(with: [0x1F, 0x8B]), !body.bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) else {
                throw Refusal(
                    400, "InvalidContentEncoding", "The body is compressed: say so with Content-Encoding: gzip or zstd.")
            }
            return body.bytes
        }
        do {
            return try await expanding.with {
                try body.bytes.withUnsafeBytes {
                    coding == .gzip
                        ? try Gzip.expand($0, limit: Self.bodyLimit) : try Zstd.expandStream($0, limit: Self.bodyLimit)
                }
            }
        } catch GzipError.tooLarge, is SizeLimitExceeded {
            throw Refusal(413, "RequestBodyTooLarge", "A request is at most \(Self.bodyLimit) bytes after decoding.")
        } catch {
            throw Refusal(400, "InvalidContentEncoding", "The body is not what its Content-Encoding says.")
        }
    }

    private func quarantine(_ batch: ParsedBatch, _ record: CallRecord, account: String) throws {
        guard !batch.rejected.isEmpty else { return }
        let receivedAt = wireTime(services.now())
        do {
            var rest = batch.rejected[...]
            while !rest.isEmpty {
                // Some megabytes a file, so that keeping them takes little memory.
                var bytes = 0
                let slice = rest.prefix { rejected in
                    bytes += rejected.range.count + 256
                    return bytes < 2 << 20
                }
                let taken = slice.isEmpty ? rest.prefix(1) : slice
                rest = rest.dropFirst(taken.count)
                try services.quarantine.keep(
                    taken.map { rejected in
                        Quarantine.Entry(
                            account: account, receivedAt: receivedAt, requestId: record.requestId,
                            source: record.sourceAddress, line: rejected.line, code: rejected.code,
                            message: rejected.message, record: Data(batch.bytes(of: rejected)))
                    }, receivedAtMilliseconds: services.nowMilliseconds)
            }
        } catch {
            services.logger.error("rejected records cannot be kept", metadata: ["error": "\(error)"])
            throw HistoryError.cannotRecord("\(error)")
        }
    }
}
