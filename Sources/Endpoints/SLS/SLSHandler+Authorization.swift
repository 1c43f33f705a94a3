// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import LogService

/// May the caller do this? Only the caller's own policies are asked, and no project is any other account's affair.
extension SLSHandler {
    /// What an operation is about, once it is allowed.
    struct Allowed: Sendable {
        var project: Project?
        var logstore: Logstore?
        /// Of what is to be made: the body alone names it.
        var newName = ""

        func store() throws(LogServiceError) -> Logstore {
            guard let logstore else { throw .parameter("The call names no logstore.") }
            return logstore
        }
    }

    /// - Throws: `AccessDenial`; `ProjectNotExist` and `LogStoreNotExist` to those who would be allowed if there were any.
    func authorize(_ operation: SLSOperation) throws -> Allowed {
        var allowed = Allowed()
        if let member = operation.namingMember { allowed.newName = try SLSFields(json: body).filled(member) }
        let logstore = operation.name == .getProjectLogs ? try projectLogsStore() : operation.logstore
        let project = operation.name == .createProject ? allowed.newName : call.project
        try demand([AccessRequest("log:" + operation.action, on: resource(of: operation, project, logstore, allowed.newName))])
        guard let project, operation.name != .createProject else { return allowed }
        let found = try registry.project(project)
        // Names are shared by all accounts; what is another's is not there.
        guard found.account == caller.accountId else { throw LogServiceError.noProject(project) }
        allowed.project = found
        guard let logstore else { return allowed }
        let store = try registry.logstore(logstore, project: project)
        if operation.isOnLogstoreItself, let trail = store.trail {
            throw LogServiceError(
                403, "Unauthorized",
                "the logstore \(logstore) takes the events of the trail \(trail): nobody but the trail writes into it, and "
                    + "nobody changes or deletes it or its logs")
        }
        allowed.logstore = store
        return allowed
    }

    func demand(_ requests: [AccessRequest], of other: Caller? = nil) throws {
        let verdict = try services.authorizer.decide(
            other ?? caller, requests, in: RequestCircumstances(call.request, at: services.wireNow))
        switch verdict {
        case .allowed: return
        case .denied(let denial), .undecided(let denial): throw denial
        }
    }

    /// Source: ram.md section 4.2.
    private func resource(of operation: SLSOperation, _ project: String?, _ logstore: String?, _ newName: String) -> String {
        let item = operation.item ?? (newName.isEmpty ? "*" : newName)
        var resource = "acs:log:\(services.region):\(caller.accountId):project/\(project ?? "*")"
        switch operation.name {
        case .listLogStores, .createLogStore: resource += "/logstore/\(item)"
        case .createDashboard, .getDashboard, .updateDashboard, .deleteDashboard, .listDashboard:
            resource += "/dashboard/\(item)"
        case .createSavedSearch, .getSavedSearch, .updateSavedSearch, .deleteSavedSearch, .listSavedSearch:
            resource += "/savedsearch/\(item)"
        case .createConsumerGroup, .listConsumerGroup, .updateConsumerGroup, .deleteConsumerGroup, .heartBeat, .getCheckPoint,
            .updateCheckPoint:
            resource += "/logstore/\(logstore ?? "*")/consumergroup/\(item)"
        default: if let logstore { resource += "/logstore/\(logstore)" }
        }
        return resource
    }
}

extension SLSOperation {
    /// The permission it needs, behind `log:`. Source: sls.md section 16, ram.md section 4.2.
    var action: String {
        switch name {
        case .putLogs: "PostLogStoreLogs"
        case .getLogs, .getLogsV2, .getContextLogs, .listTopics, .getProjectLogs, .asyncSQL: "GetLogStoreLogs"
        case .getHistograms: "GetLogStoreHistogram"
        case .getCursor, .getCursorTime, .pullLogs: "GetCursorOrData"
        case .heartBeat: "HeartBeat"
        case .updateCheckPoint: "UpdateCheckPoint"
        case .deleteLogs: "DeleteLogStoreLogs"
        case .updateLogs: "UpdateLogStoreLogs"
        case .updateModification: "UpdateLogStore"
        default: name.rawValue
        }
    }

    /// The member of the body that names what is to be made.
    var namingMember: String? {
        switch name {
        case .createProject: "projectName"
        case .createLogStore: "logstoreName"
        case .createDashboard: "dashboardName"
        case .createSavedSearch: "savedsearchName"
        case .createConsumerGroup: "consumerGroup"
        default: nil
        }
    }
}
