// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What people keep in a project beside its logs: a JSON object with a name, otherwise theirs.
public struct LogDocument: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case dashboard = "dashboards"
        case savedSearch = "savedsearches"
    }

    public static let longest = 256 << 10

    public var name: String
    /// As the client sent it.
    public var json: Data

    /// - Throws: `ParameterInvalid` unless `json` is an object with an allowed name.
    init(_ kind: Kind, _ json: Data, named name: String? = nil) throws(LogServiceError) {
        guard json.count <= Self.longest else { throw .parameter("the body is larger than \(Self.longest) bytes") }
        guard let names = try? JSONDecoder().decode(Names.self, from: json) else {
            throw .parameter("the body is not a JSON object, or a name in it is no text")
        }
        let own = kind == .dashboard ? names.dashboardName : names.savedsearchName
        guard let chosen = name ?? own, own == nil || own == chosen, RegistryName.isObject(chosen) else {
            throw .parameter("\(kind == .dashboard ? "dashboardName" : "savedsearchName") is missing or invalid")
        }
        self.name = chosen
        self.json = json
    }

    init(name: String, json: Data) {
        self.name = name
        self.json = json
    }

    private struct Names: Decodable {
        var dashboardName: String?
        var savedsearchName: String?
    }
}

extension LogDocument.Kind {
    func missing(_ name: String) -> LogServiceError {
        switch self {
        case .dashboard: .init(404, "DashboardNotExist", "specified dashboard does not exist")
        case .savedSearch: .init(404, "SavedSearchNotExist", "specified savedsearch does not exist")
        }
    }

    func taken(_ name: String) -> LogServiceError {
        switch self {
        case .dashboard: .init(400, "DashboardAlreadyExist", "dashboard \(name) already exists")
        case .savedSearch: .init(400, "SavedSearchAlreadyExist", "savedsearch \(name) already exists")
        }
    }
}
