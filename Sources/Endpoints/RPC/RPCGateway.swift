// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import EventHistory
import Foundation
import Hummingbird
import Trails

/// An error of an RPC operation, as the vendor's envelope tells it.
struct RPCError: Error {
    var status: Int
    var code: String
    var message: String
    /// Why the policies refused it.
    var denial: AccessDenial?

    init(_ status: Int, _ code: String, _ message: String, denial: AccessDenial? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.denial = denial
    }

    static func missing(_ parameter: String) -> RPCError {
        RPCError(400, "Missing\(parameter)", "\(parameter) is mandatory for this action.")
    }

    static func invalidParameter(_ message: String) -> RPCError { RPCError(400, "InvalidQueryParameter", message) }
}

/// What an operation needs to know of its call.
struct RPCContext: Sendable {
    let services: EndpointServices
    let caller: Caller
    let circumstances: RequestCircumstances
    let parameters: WireParameters
    let version: String
    let requestId: String
    let host: String

    /// A parameter that was sent, empty or not; nil if it was not.
    subscript(name: String) -> String? { parameters[name] }

    /// A parameter that was sent and is not empty.
    func filled(_ name: String) -> String? { parameters[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// - Throws: `Missing<Name>` if it is absent or empty.
    func required(_ name: String) throws(RPCError) -> String {
        guard let value = filled(name) else { throw .missing(name) }
        return value
    }

    /// Booleans arrive as `True` from Python and `true` from others.
    func flag(_ name: String, default value: Bool = false) throws(RPCError) -> Bool {
        switch parameters[name]?.lowercased() {
        case nil, "": return value
        case "true": return true
        case "false": return false
        default: throw .invalidParameter("\(name) is neither true nor false.")
        }
    }

    func integer(_ name: String, in range: ClosedRange<Int>, default value: Int?) throws(RPCError) -> Int {
        guard let text = filled(name) else {
            guard let value else { throw .missing(name) }
            return value
        }
        guard let number = Int(text), range.contains(number) else {
            throw .invalidParameter("\(name) is not a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    var accountId: String { caller.accountId }
}

struct RPCAnswer: Sendable {
    var fields: JSONFields
    /// How the change weakens a trail; see `CallRecord.weakening`.
    var weakening: String?
    /// Run once the call's own event is durable, with its sequence.
    var afterRecording: (@Sendable (UInt64) throws -> Void)?

    init(
        _ fields: JSONFields = JSONFields(), weakening: String? = nil,
        afterRecording: (@Sendable (UInt64) throws -> Void)? = nil
    ) {
        self.fields = fields
        self.weakening = weakening
        self.afterRecording = afterRecording
    }
}

/// One operation of an RPC-style API.
struct RPCOperation: Sendable {
    var name: String
    var isWrite: Bool
    /// The type of resource that the operation is about, if a parameter names it.
    var resourceType: String?
    /// That parameter: what is authorised, what the event names and what the operation uses are one.
    var namedBy: String
    var permission: RPCPermission
    var run: @Sendable (RPCContext) async throws -> RPCAnswer

    init(
        _ name: String, isWrite: Bool, resourceType: String? = "ACS::ActionTrail::Trail",
        namedBy: String = "Name", permission: RPCPermission = .standard,
        _ run: @escaping @Sendable (RPCContext) async throws -> RPCAnswer
    ) {
        self.name = name
        self.isWrite = isWrite
        self.resourceType = resourceType
        self.namedBy = namedBy
        self.permission = permission
        self.run = run
    }
}

/// A version of an API: its operations, and the names of those to come.
struct RPCProduct: Sendable {
    var serviceName: String
    /// Code of a refusal by the policies; each product has its own (ram.md section 3).
    var deniedCode: String
    /// Types of the resources that parameters name, for the event.
    var referenced: [(parameter: String, type: String)]
    var operations: [String: RPCOperation]
    var unbuilt: Set<String>

    init(
        serviceName: String, deniedCode: String = "NoPermission",
        referenced: [(parameter: String, type: String)] = [], operations: [RPCOperation], unbuilt: [String]
    ) {
        self.serviceName = serviceName
        self.deniedCode = deniedCode
        self.referenced = referenced
        self.operations = Dictionary(uniqueKeysWithValues: operations.map { ($0.name, $0) })
        self.unbuilt = Set(unbuilt).subtracting(self.operations.keys)
    }
}

/// The RPC gateway at path `/`: version and action, then the caller, then the operation; every call is recorded.
struct RPCGateway: Sendable {
    static let bodyLimit = 1 << 20

    let services: EndpointServices
    let products: [String: RPCProduct]

    init(services: EndpointServices) {
        self.services = services
        products = [
            "2020-07-06": .actionTrail, "2017-12-04": .actionTrail2017, "2016-01-20": .keyManagement,
            "2015-05-01": .accessManagement, "2015-04-01": .securityTokens,
        ]
    }

    func answer(_ request: WireRequest, body: RequestBody) async -> WireAnswer {
        let requestId = UUID().uuidString
        var request = request
        var record = CallRecord(request, requestId: requestId, serviceName: "Actiontrail")
        let collected: CollectedBody
        do throws(BodyFault) {
            let length = request.header("content-length").flatMap { Int($0) }
            collected = try await CollectedBody.read(body, limit: Self.bodyLimit, budget: services.budget, expected: length)
        } catch {
            let failure =
                switch error {
                case .tooLarge(let limit): RPCError(413, "RequestBodyTooLarge", "The body is longer than \(limit) bytes.")
                case .busy: RPCError(503, "ServiceUnavailable", "Too many requests are in memory; try again.")
                case .broken: RPCError(400, "IncompleteBody", "The body ended early.")
                }
            return await refuse(failure, record, request)
        }
        // Its share of the budget is given back when the call is done.
        defer { withExtendedLifetime(collected) {} }
        request.body = collected.bytes
        let call: RPCCall
        do throws(AuthenticationFailure) { call = try RPCCall(request) } catch {
            return await refuse(RPCError(error.httpStatus, error.code, error.message), record, request, error)
        }
        record.parameters = Self.operationParameters(call.parameters)
        record.claimedAccessKeyId = call.claimedAccessKeyId
        record.apiVersion = call.version
        if let action = call.action { record.eventName = String(action.prefix(128)) }
        do {
            let (product, operation) = try resolve(call, &record)
            let caller = try authenticate(call, &record)
            let context = RPCContext(
                services: services, caller: caller,
                circumstances: RequestCircumstances(request, at: services.wireNow), parameters: call.parameters,
                version: call.version ?? "", requestId: requestId, host: record.host)
            do {
                try context.authorize(operation)
                if operation.isWrite { try begin(&record) }
                let answer = try await operation.run(context)
                record.weakening = answer.weakening
                return await succeed(answer, operation, record)
            } catch let denial as AccessDenial {
                throw RPCError(
                    403, product.deniedCode, "You are not authorized to do this action: \(denial.reason).", denial: denial)
            }
        } catch let error as RPCError {
            return await refuse(error, record, request)
        } catch let error as DirectoryError {
            return await refuse(RPCError(error), record, request)
        } catch let failure as AuthenticationFailure {
            return await refuse(RPCError(failure.httpStatus, failure.code, failure.message), record, request, failure)
        } catch {
            services.logger.error("a call failed", metadata: ["call": "\(record.eventName)", "error": "\(error)"])
            return await refuse(Self.wireError(error), record, request)
        }
    }

    /// Parameters of the operation itself, without those of the signature.
    private static func operationParameters(_ parameters: WireParameters) -> [WireParameters.Parameter] {
        let system: Set = [
            "Action", "Version", "Format", "Timestamp", "SignatureNonce", "SignatureMethod", "SignatureVersion",
            "SignatureType", "AccessKeyId", "Signature",
        ]
        return parameters.all.filter { !system.contains($0.name) }
    }

    private func resolve(_ call: RPCCall, _ record: inout CallRecord) throws -> (RPCProduct, RPCOperation) {
        guard let action = call.action, !action.isEmpty else { throw RPCError.missing("Action") }
        guard let version = call.version, !version.isEmpty else { throw RPCError.missing("Version") }
        guard let product = products[version] else {
            throw RPCError(404, "InvalidVersion", "Specified parameter Version is not valid.")
        }
        record.serviceName = product.serviceName
        guard let operation = product.operations[action] else {
            if product.unbuilt.contains(action) {
                throw RPCError(501, "ActionNotImplemented", "The action \(action) is not implemented yet.")
            }
            throw RPCError(
                404, "InvalidApi.NotFound", "Specified api is not found, please check your url and method.")
        }
        guard ["GET", "POST"].contains(call.request.method), call.request.rawPath == "/" || call.request.rawPath.isEmpty else {
            throw RPCError(
                404, "InvalidApi.NotFound", "Specified api is not found, please check your url and method.")
        }
        record.isWrite = operation.isWrite
        if let type = operation.resourceType, let name = call.parameters[operation.namedBy], !name.isEmpty {
            record.resources = [(type, name)]
        }
        for (parameter, type) in product.referenced {
            guard let name = call.parameters[parameter], !name.isEmpty else { continue }
            // Of an ARN what stands last: `role/NAME`.
            record.resources.append((type, name.hasPrefix("acs:") ? String(name.split(separator: "/").last ?? "") : name))
        }
        return (product, operation)
    }

    /// What cannot be recorded must not be done.
    private func begin(_ record: inout CallRecord) throws {
        let refusal = RPCError(503, "ServiceUnavailable", "Calls cannot be recorded at present, so nothing may be changed.")
        guard services.recorder.canRecord else { throw refusal }
        do { try services.recorder.begin(&record) } catch {
            services.logger.error("a change cannot be noted", metadata: ["call": "\(record.eventName)", "error": "\(error)"])
            throw refusal
        }
    }

    private func authenticate(_ call: RPCCall, _ record: inout CallRecord) throws -> Caller {
        switch try services.authenticator.authenticateRPC(call) {
        case .refused(let failure): throw failure
        case .authenticated(let authentication):
            record.caller = authentication.caller
            if let id = authentication.caller.accessKeyId { services.identities.noteUse(ofAccessKey: id) }
            return authentication.caller
        }
    }

    private func succeed(_ answer: RPCAnswer, _ operation: RPCOperation, _ record: CallRecord) async -> WireAnswer {
        if operation.isWrite {
            let sequence = await services.recorder.record(record)
            if let sequence, let afterRecording = answer.afterRecording {
                do { try afterRecording(sequence) } catch {
                    services.logger.error("a call's end failed", metadata: ["call": "\(record.eventName)", "error": "\(error)"])
                }
            }
        } else {
            services.recorder.recordLater(record)
        }
        var fields = answer.fields
        fields.add(record.requestId, "RequestId")
        return .json(fields, headers: [("x-acs-request-id", record.requestId)])
    }

    private func refuse(
        _ error: RPCError, _ record: CallRecord, _ request: WireRequest, _ failure: AuthenticationFailure? = nil
    ) async -> WireAnswer {
        var record = record
        record.errorCode = error.code
        record.errorMessage = error.message
        record.claimedAccessKeyId = record.claimedAccessKeyId ?? failure?.claimedAccessKeyId
        await services.recorder.record(record)
        var fields = JSONFields()
        fields.add(record.requestId, "RequestId")
        fields.add(record.host, "HostId")
        fields.add(error.code, "Code")
        fields.add(failure?.wireMessage ?? error.message, "Message")
        if let denial = error.denial { fields.add(JSONFields(denial), "AccessDeniedDetail") }
        var headers = [("x-acs-request-id", record.requestId)]
        if error.code.hasPrefix("Throttling") { headers.append(("x-acs-retry-after", "1000")) }
        return .json(fields, status: error.status, headers: headers)
    }

    /// What the rooms below throw, in the words of the wire.
    static func wireError(_ error: any Error) -> RPCError {
        switch error {
        case let error as TrailError: error.wireError
        case HistoryError.busy: RPCError(503, "ServiceUnavailable", "Too much is waiting to be written; try again.")
        case let error as HistoryError: RPCError(503, "ServiceUnavailable", "\(error)")
        default: RPCError(500, "InternalFailure", "The request has failed due to an unknown error.")
        }
    }
}

extension TrailError {
    /// Codes of actiontrail.md section 6.4.
    fileprivate var wireError: RPCError {
        switch self {
        case .notFound: RPCError(404, "TrailNotFoundException", description)
        case .alreadyExists: RPCError(400, "TrailAlreadyExistsException", description)
        case .tooMany: RPCError(403, "MaximumNumberOfTrailsExceededException", description)
        case .bucketTaken: RPCError(400, "RepeatOssBucket", description)
        case .badProject: RPCError(400, "SlsProjectDoesNotExistException", description)
        case .jobNotFound: RPCError(404, "DeliveryHistoryJobNotFound", description)
        case .jobNotPossible: RPCError(403, "NotSupportDeliveryHistoryJob", description)
        case .jobRunning: RPCError(400, "DeliveryHistoryJobRunning", description)
        case .metadata: RPCError(503, "ServiceUnavailable", "The metadata cannot be written at present.")
        }
    }
}
