// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import LogService

/// Which operation a request asks for, and of what; source: sls.md sections 7 and 8.
struct SLSOperation: Sendable {
    /// By the operation's name in events.
    enum Name: String, Sendable, CaseIterable {
        case createProject = "CreateProject"
        case getProject = "GetProject"
        case updateProject = "UpdateProject"
        case deleteProject = "DeleteProject"
        case listProject = "ListProject"
        case createLogStore = "CreateLogStore"
        case getLogStore = "GetLogStore"
        case updateLogStore = "UpdateLogStore"
        case deleteLogStore = "DeleteLogStore"
        case listLogStores = "ListLogStores"
        case updateLogStoreEncryption = "UpdateLogStoreEncryption"
        case getLogStoreMeteringMode = "GetLogStoreMeteringMode"
        case updateLogStoreMeteringMode = "UpdateLogStoreMeteringMode"
        case createIndex = "CreateIndex"
        case getIndex = "GetIndex"
        case updateIndex = "UpdateIndex"
        case deleteIndex = "DeleteIndex"
        case putLogs = "PutLogs"
        case getLogs = "GetLogs"
        case getLogsV2 = "GetLogsV2"
        case getHistograms = "GetHistograms"
        case getContextLogs = "GetContextLogs"
        case listTopics = "ListTopics"
        case getProjectLogs = "GetProjectLogs"
        case listShards = "ListShards"
        case splitShard = "SplitShard"
        case mergeShards = "MergeShards"
        case deleteShard = "DeleteShard"
        case getCursor = "GetCursor"
        case getCursorTime = "GetCursorTime"
        case pullLogs = "PullLogs"
        case createConsumerGroup = "CreateConsumerGroup"
        case listConsumerGroup = "ListConsumerGroup"
        case updateConsumerGroup = "UpdateConsumerGroup"
        case deleteConsumerGroup = "DeleteConsumerGroup"
        case heartBeat = "ConsumerGroupHeartBeat"
        case getCheckPoint = "GetCheckPoint"
        case updateCheckPoint = "ConsumerGroupUpdateCheckPoint"
        case createDashboard = "CreateDashboard"
        case getDashboard = "GetDashboard"
        case updateDashboard = "UpdateDashboard"
        case deleteDashboard = "DeleteDashboard"
        case listDashboard = "ListDashboard"
        case createSavedSearch = "CreateSavedSearch"
        case getSavedSearch = "GetSavedSearch"
        case updateSavedSearch = "UpdateSavedSearch"
        case deleteSavedSearch = "DeleteSavedSearch"
        case listSavedSearch = "ListSavedSearch"
        case deleteLogs = "DeleteLogs"
        case updateLogs = "UpdateLogs"
        case updateModification = "UpdateLogStoreModification"
        case asyncSQL = "AsyncSql"
    }

    /// What a call does to what is stored, and so how it is recorded.
    enum Effect: Sendable {
        case read
        /// Keeps a consumer's place. Recorded like a read: every consumer sends it again and again.
        case consumption
        /// Brings content, and nothing else: not noted before it is done.
        case content
        case change
    }

    var name: Name
    var logstore: String?
    var shard: Int?
    /// Of a consumer group, a dashboard or a saved search.
    var item: String?

    init(_ name: Name, logstore: String? = nil, shard: Int? = nil, item: String? = nil) {
        self.name = name
        self.logstore = logstore
        self.shard = shard
        self.item = item
    }

    var effect: Effect {
        switch name {
        case .getProject, .listProject, .getLogStore, .listLogStores, .getLogStoreMeteringMode, .getIndex, .getLogs, .getLogsV2,
            .getHistograms, .getContextLogs, .listTopics, .getProjectLogs, .listShards, .getCursor, .getCursorTime, .pullLogs,
            .listConsumerGroup, .getCheckPoint, .getDashboard, .listDashboard, .getSavedSearch, .listSavedSearch, .asyncSQL:
            .read
        case .heartBeat, .updateCheckPoint: .consumption
        case .putLogs: .content
        default: .change
        }
    }

    /// Whether it changes what a logstore is or holds: nobody may, where the logstore belongs to a trail.
    var isOnLogstoreItself: Bool {
        switch name {
        case .updateLogStore, .deleteLogStore, .updateLogStoreEncryption, .updateLogStoreMeteringMode, .createIndex, .updateIndex,
            .deleteIndex, .putLogs, .splitShard, .mergeShards, .deleteShard, .deleteLogs, .updateLogs, .updateModification:
            true
        default: false
        }
    }

    /// Bytes of the body as sent.
    var bodyLimit: Int { name == .putLogs ? LogCompression.maximumRawSize : 1 << 20 }
}

extension SLSOperation {
    init(_ call: SLSRequest) throws(LogServiceError) {
        let method = call.request.method
        let unknown = LogServiceError(
            405, "InvalidMethod", "\(method) \(call.request.rawPath.prefix(256)) is no operation of the log service.")
        var path = call.path[...]
        if path.isEmpty {
            self.init(try Self.ofProject(method, isNamed: call.project != nil, unknown))
            return
        }
        guard call.project != nil else {
            throw .parameter("The host names no project: it has to be <project>.<endpoint>.")
        }
        let kind = path.removeFirst()
        switch (kind, path.count) {
        case ("logstores", 0):
            switch method {
            case "GET": self.init(.listLogStores)
            case "POST": self.init(.createLogStore)
            default: throw unknown
            }
        case ("logstores", _): try self.init(logstore: path, call, unknown)
        case ("logs", 0) where method == "GET": self.init(.getProjectLogs)
        case ("dashboards", 0...1):
            self.init(
                try Self.ofDocument(
                    method, isNamed: !path.isEmpty, .createDashboard, .getDashboard, .updateDashboard, .deleteDashboard,
                    .listDashboard, unknown), item: path.first)
        case ("savedsearches", 0...1):
            self.init(
                try Self.ofDocument(
                    method, isNamed: !path.isEmpty, .createSavedSearch, .getSavedSearch, .updateSavedSearch, .deleteSavedSearch,
                    .listSavedSearch, unknown), item: path.first)
        case ("asyncsql", 0...1): self.init(.asyncSQL)
        default: throw unknown
        }
    }

    private static func ofProject(
        _ method: String, isNamed: Bool, _ unknown: LogServiceError
    ) throws(LogServiceError) -> Name {
        switch (method, isNamed) {
        // Some clients name a new project in the body alone.
        case ("POST", _): .createProject
        case ("GET", true): .getProject
        case ("GET", false): .listProject
        case ("PUT", true): .updateProject
        case ("DELETE", true): .deleteProject
        default: throw unknown
        }
    }

    private static func ofDocument(
        _ method: String, isNamed: Bool, _ create: Name, _ get: Name, _ update: Name, _ delete: Name, _ list: Name,
        _ unknown: LogServiceError
    ) throws(LogServiceError) -> Name {
        switch (method, isNamed) {
        case ("GET", false): list
        case ("POST", false): create
        case ("GET", true): get
        case ("PUT", true): update
        case ("DELETE", true): delete
        default: throw unknown
        }
    }

    /// - Parameter path: behind `/logstores/`.
    private init(
        logstore path: ArraySlice<String>, _ call: SLSRequest, _ unknown: LogServiceError
    ) throws(LogServiceError) {
        let method = call.request.method
        let type = call.parameters["type"] ?? ""
        let path = Array(path)
        let name = path[0]
        switch (path.count > 1 ? path[1] : "", path.count, method) {
        case ("", 1, "GET"): self.init(try Self.reading(type), logstore: name)
        case ("", 1, "POST"): self.init(.putLogs, logstore: name)
        case ("", 1, "PUT"): self.init(.updateLogStore, logstore: name)
        case ("", 1, "DELETE"): self.init(.deleteLogStore, logstore: name)
        case ("logs", 2, "POST"): self.init(.getLogsV2, logstore: name)
        case ("index", 2, "GET"): self.init(type == "histogram" ? .getHistograms : .getIndex, logstore: name)
        case ("index", 2, "POST"): self.init(.createIndex, logstore: name)
        case ("index", 2, "PUT"): self.init(.updateIndex, logstore: name)
        case ("index", 2, "DELETE"): self.init(.deleteIndex, logstore: name)
        case ("encryption", 2, "PUT"): self.init(.updateLogStoreEncryption, logstore: name)
        case ("meteringmode", 2, "GET"): self.init(.getLogStoreMeteringMode, logstore: name)
        case ("meteringmode", 2, "PUT"): self.init(.updateLogStoreMeteringMode, logstore: name)
        case ("modification", 2, "PUT"): self.init(.updateModification, logstore: name)
        case ("deletelogs", 2, "POST"), ("deletelogtasks", 2...3, _): self.init(.deleteLogs, logstore: name)
        case ("updatelogs", 2, "POST"): self.init(.updateLogs, logstore: name)
        case ("shards", 2, "GET"): self.init(.listShards, logstore: name)
        case ("shards", 3, "POST") where ["lb", "route"].contains(path[2]): self.init(.putLogs, logstore: name)
        case ("shards", 3, _):
            guard let shard = Int(path[2]), shard >= 0 else { throw .parameter("\(path[2].prefix(64)) is no shard.") }
            self.init(try Self.ofShard(method, type, call.parameters["action"], unknown), logstore: name, shard: shard)
        case ("consumergroups", 2, "GET"): self.init(.listConsumerGroup, logstore: name)
        case ("consumergroups", 2, "POST"): self.init(.createConsumerGroup, logstore: name)
        case ("consumergroups", 3, _): self.init(try Self.ofGroup(method, type, unknown), logstore: name, item: path[2])
        default: throw unknown
        }
    }

    private static func reading(_ type: String) throws(LogServiceError) -> Name {
        switch type {
        case "": .getLogStore
        case "log": .getLogs
        case "histogram": .getHistograms
        case "context_log": .getContextLogs
        case "topic": .listTopics
        default: throw .parameter("The parameter type is none of log, histogram, context_log and topic.")
        }
    }

    private static func ofShard(
        _ method: String, _ type: String, _ action: String?, _ unknown: LogServiceError
    ) throws(LogServiceError) -> Name {
        switch (method, type, action) {
        case ("GET", "cursor", _): .getCursor
        case ("GET", "cursor_time", _): .getCursorTime
        // The Go SDK says `logs`.
        case ("GET", "log", _), ("GET", "logs", _): .pullLogs
        case ("POST", _, "split"?): .splitShard
        case ("POST", _, "merge"?): .mergeShards
        case ("DELETE", _, _): .deleteShard
        default: throw unknown
        }
    }

    private static func ofGroup(
        _ method: String, _ type: String, _ unknown: LogServiceError
    ) throws(LogServiceError) -> Name {
        switch (method, type) {
        case ("GET", _): .getCheckPoint
        case ("PUT", _): .updateConsumerGroup
        case ("DELETE", _): .deleteConsumerGroup
        case ("POST", "heartbeat"): .heartBeat
        case ("POST", "checkpoint"): .updateCheckPoint
        default: throw unknown
        }
    }
}
