// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import Hummingbird
import LogService

/// Carries out one call on the log service for a caller who is known.
struct SLSHandler: Sendable {
    let services: EndpointServices
    let call: SLSRequest
    let caller: Caller
    /// As sent.
    let body: [UInt8]
    /// Of the query.
    let parameters: SLSFields

    init(services: EndpointServices, call: SLSRequest, caller: Caller, body: [UInt8]) {
        self.services = services
        self.call = call
        self.caller = caller
        self.body = body
        parameters = SLSFields(Dictionary(call.parameters.all.map { ($0.name, .text($0.value)) }) { first, _ in first })
    }

    var registry: LogRegistry { services.logs.registry }

    /// That of the host; operations without one are routed elsewhere.
    var project: String { call.project ?? "" }

    /// - Parameters:
    ///   - allowed: what ``authorize(_:)`` gave.
    ///   - client: watched while a question is answered.
    func run(_ operation: SLSOperation, on allowed: Allowed, _ client: ClientConnection) async throws -> WireAnswer {
        switch operation.name {
        case .createProject, .getProject, .updateProject, .deleteProject, .listProject:
            return try await runOnProject(operation, allowed)
        case .createLogStore: return try await createLogstore()
        case .listLogStores: return try listLogstores()
        case .createDashboard, .getDashboard, .updateDashboard, .deleteDashboard, .listDashboard:
            return try run(operation, on: .dashboard)
        case .createSavedSearch, .getSavedSearch, .updateSavedSearch, .deleteSavedSearch, .listSavedSearch:
            return try run(operation, on: .savedSearch)
        case .getProjectLogs: return try await getProjectLogs(try allowed.store(), client)
        case .asyncSQL:
            throw LogServiceError(
                400, "NotSupported", "SQL is not run in the background here: ask with GetLogs, which answers whole.")
        default: return try await run(operation, on: try allowed.store(), client)
        }
    }

    private func run(
        _ operation: SLSOperation, on logstore: Logstore, _ client: ClientConnection
    ) async throws -> WireAnswer {
        switch operation.name {
        case .getLogStore: return describe(logstore)
        case .updateLogStore: return try await update(logstore)
        case .deleteLogStore: return try await delete(logstore)
        case .updateLogStoreEncryption: return try await updateEncryption(of: logstore)
        case .getLogStoreMeteringMode: return meteringMode()
        case .updateLogStoreMeteringMode: return try updateMeteringMode()
        case .createIndex: return try setIndex(of: logstore, isNew: true)
        case .updateIndex: return try setIndex(of: logstore, isNew: false)
        case .getIndex: return try index(of: logstore)
        case .deleteIndex: return try deleteIndex(of: logstore)
        case .putLogs: return try await putLogs(into: logstore)
        case .getLogs, .getLogsV2: return try await getLogs(operation, of: logstore, client)
        case .getHistograms: return try await getHistograms(of: logstore, client)
        case .getContextLogs: return try await getContextLogs(of: logstore, client)
        case .listTopics: return try await listTopics(of: logstore, client)
        case .listShards: return Self.answer(logstore.shards)
        case .splitShard, .mergeShards, .deleteShard: return try changeShards(operation, of: logstore)
        case .getCursor: return try await getCursor(try shard(operation, of: logstore), of: logstore)
        case .getCursorTime: return try await getCursorTime(of: logstore)
        case .pullLogs: return try await pullLogs(try shard(operation, of: logstore), of: logstore, client)
        case .createConsumerGroup, .listConsumerGroup, .updateConsumerGroup, .deleteConsumerGroup, .heartBeat, .getCheckPoint,
            .updateCheckPoint:
            return try await runOnGroup(operation, of: logstore)
        case .deleteLogs, .updateLogs, .updateModification:
            throw LogServiceError(
                403, "NotSupported", "logs cannot be deleted or changed: the logstore \(logstore.name) is append-only")
        default: throw LogServiceError(405, "InvalidMethod", "\(operation.name.rawValue) is not on a logstore.")
        }
    }

    static let empty = WireAnswer(status: 200)

    static func json(_ body: [UInt8], headers: [(name: String, value: String)] = []) -> WireAnswer {
        WireAnswer(status: 200, headers: [("Content-Type", "application/json")] + headers, body: body)
    }

    static func json(_ fields: JSONFields) -> WireAnswer { json(fields.finished) }

    /// Of a list: where it begins and how much of it is wanted, 500 at most (sls.md section 12).
    func page(defaultSize: Int) throws(LogServiceError) -> (offset: Int, size: Int) {
        let offset = try parameters.integer("offset", in: 0...Int.max) ?? 0
        let size = try parameters.integer("size", in: 0...Int.max) ?? defaultSize
        return (offset, min(size, 500))
    }
}
