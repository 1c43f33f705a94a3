// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import DurableFiles
import Foundation
import Hummingbird
import KeyManagement
import LogEngine
import LogService

/// The sls port: what the official SDKs do with projects and logstores.
struct SLSPort: WireService {
    static let busy = LogServiceError(503, "ServerBusy", "Too many requests are in memory; try again.")

    let services: EndpointServices

    func answer(_ request: WireRequest, body: RequestBody, from client: ClientConnection) async -> WireAnswer {
        let requestId = OSSPort.makeRequestId()
        let incoming = IncomingBody(body)
        var record = CallRecord(request, requestId: requestId, serviceName: "Sls")
        record.apiVersion = "2020-12-30"
        record.parameters = [.init("path", request.rawPath)]
        var answer: WireAnswer
        do {
            let call = try read(request, &record)
            // What was asked for is told of a call that is refused, too; what there is, only to a caller who is known.
            let asked = Result { () throws(LogServiceError) in try SLSOperation(call) }
            if case .success(let operation) = asked { tell(operation, call, &record) }
            let caller = try authenticate(call, &record)
            let operation = try asked.get()
            let body = try await take(incoming, of: call, limit: operation.bodyLimit)
            defer { withExtendedLifetime(body) {} }
            try call.check(body: body.bytes)
            if operation.name != .putLogs { tell(body.bytes, &record) }
            let handler = SLSHandler(services: services, call: call, caller: caller, body: body.bytes)
            let allowed = try handler.authorize(operation)
            if operation.name == .createProject { record.resources = [("ACS::SLS::Project", allowed.newName)] }
            try begin(operation, &record)
            answer = try await handler.run(operation, on: allowed, client)
            switch operation.effect {
            case .read, .consumption: services.recorder.recordLater(record)
            case .content, .change: await services.recorder.record(record)
            }
        } catch {
            let failure = wireError(error)
            record.errorCode = failure.code
            record.errorMessage = failure.message
            if let id = (error as? AuthenticationFailure)?.claimedAccessKeyId { record.claimedAccessKeyId = id }
            await services.recorder.record(record)
            await incoming.drain()
            answer = Self.answer(failure, error)
        }
        answer.headers += [("x-log-requestid", requestId), ("Server", "AliyunSLS"), ("Date", services.wireNow.httpDate)]
        return answer
    }

    // MARK: The call

    private func read(_ request: WireRequest, _ record: inout CallRecord) throws -> SLSRequest {
        let call: SLSRequest
        do throws(AuthenticationFailure) { call = try SLSRequest(request, addressing: services.slsAddressing) } catch {
            throw error
        }
        record.claimedAccessKeyId = call.claimedAccessKeyId
        record.parameters += call.parameters.all
        if let project = call.project { record.resources = [("ACS::SLS::Project", project)] }
        return call
    }

    private func authenticate(_ call: SLSRequest, _ record: inout CallRecord) throws -> Caller {
        switch try services.authenticator.authenticateSLS(call) {
        case .authenticated(let authentication):
            record.caller = authentication.caller
            if let id = authentication.caller.accessKeyId { services.identities.noteUse(ofAccessKey: id) }
            return authentication.caller
        case .refused(let failure): throw failure
        }
    }

    private func take(_ body: IncomingBody, of call: SLSRequest, limit: Int) async throws -> CollectedBody {
        let length = call.request.header("content-length").flatMap { Int($0) }
        do throws(BodyFault) {
            return try await CollectedBody.read(body, limit: limit, budget: services.budget, expected: length)
        } catch {
            switch error {
            case .tooLarge(let limit): throw LogServiceError(400, "PostBodyTooLarge", "body size exceeds \(limit) bytes")
            case .busy: throw Self.busy
            case .broken: throw LogServiceError(400, "PostBodyInvalid", "The body ended early.")
            }
        }
    }

    private func tell(_ operation: SLSOperation, _ call: SLSRequest, _ record: inout CallRecord) {
        record.eventName = operation.name.rawValue
        record.isWrite = operation.effect != .read
        guard let project = call.project else { return }
        if let logstore = operation.logstore { record.resources.append(("ACS::SLS::LogStore", project + "/" + logstore)) }
    }

    /// What a JSON body says, as far as it is parameters.
    private func tell(_ body: [UInt8], _ record: inout CallRecord) {
        guard !body.isEmpty, let fields = try? SLSFields(json: body) else { return }
        record.parameters += fields.plain.map { .init($0.name, $0.value) }
    }

    /// What cannot be recorded must not be done; see `OSSPort`.
    private func begin(_ operation: SLSOperation, _ record: inout CallRecord) throws {
        guard operation.effect == .content || operation.effect == .change else { return }
        let refusal = LogServiceError(503, "ServerBusy", "Calls cannot be recorded at present, so nothing may be changed.")
        guard services.recorder.canRecord else { throw refusal }
        guard operation.effect == .change else { return }
        do { try services.recorder.begin(&record) } catch {
            services.logger.error("a change cannot be noted", metadata: ["call": "\(record.eventName)", "error": "\(error)"])
            throw refusal
        }
    }

    // MARK: Errors

    private func wireError(_ error: any Error) -> LogServiceError {
        switch error {
        case let error as LogServiceError:
            if error.status >= 500 {
                services.logger.error("a log service call failed", metadata: ["error": "\(error)"])
            }
            return error
        case let failure as AuthenticationFailure: return LogServiceError(failure.httpStatus, failure.code, failure.message)
        case let denial as AccessDenial:
            return LogServiceError(401, "Unauthorized", "You are not authorized to do this action: \(denial.reason).")
        case let error as KeyError: return wireError(ofKey: error)
        case is CancellationError:
            // Nobody reads this answer; the record tells why there was none.
            return LogServiceError(400, "RequestCancelled", "The client closed the connection before the answer was ready.")
        case let damage as StoreDamage:
            services.logger.error("logs cannot be read", metadata: ["damage": "\(damage)"])
            return LogServiceError(
                500, "InternalServerError",
                "What is stored of this logstore is damaged (\(damage.reason)), and could not be made again; its file is named in "
                    + "the log of the service. Other logstores are not affected.")
        case let error as DiskError:
            services.logger.error("logs cannot be written or read", metadata: ["error": "\(error)"])
            return error.code == .full
                ? LogServiceError(503, "ServerBusy", "The disk of the service is full.")
                : LogServiceError(500, "InternalServerError", "The disk of the service failed. Please try again.")
        default:
            services.logger.error("a log service call failed", metadata: ["error": "\(error)"])
            return LogServiceError(500, "InternalServerError", "The service failed. Please try again.")
        }
    }

    /// Clients try again what is answered with 500 and more, which does not bring back a key that was disabled.
    private func wireError(ofKey error: KeyError) -> LogServiceError {
        switch error {
        case .token: return LogServiceError(503, "ServerBusy", "\(error)")
        case .keyNotFound, .aliasNotFound, .versionNotFound, .rejected, .invalid, .notSupported:
            return LogServiceError(403, "Unauthorized", "the key of the logstore cannot be used: \(error)")
        default:
            services.logger.error("a key of the log service failed", metadata: ["error": "\(error)"])
            return LogServiceError(500, "InternalServerError", "The keys of the service cannot be used.")
        }
    }

    private static func answer(_ failure: LogServiceError, _ error: any Error) -> WireAnswer {
        var fields = JSONFields()
        fields.add(failure.code, "errorCode")
        fields.add((error as? AuthenticationFailure)?.wireMessage ?? failure.message, "errorMessage")
        if let denial = error as? AccessDenial { fields.add(JSONFields(denial), "accessDeniedDetail") }
        return WireAnswer(
            status: failure.status, headers: [("Content-Type", "application/json")], body: fields.finished)
    }
}
