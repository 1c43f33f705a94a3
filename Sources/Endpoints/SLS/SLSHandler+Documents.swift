// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService

/// Dashboards and saved searches, which are kept as the client sent them.
extension SLSHandler {
    func run(_ operation: SLSOperation, on kind: LogDocument.Kind) throws -> WireAnswer {
        switch operation.effect {
        case .read:
            guard let name = operation.item else { return try list(kind) }
            return Self.json([UInt8](try registry.document(kind, name, project: project)))
        default: return try change(kind, operation)
        }
    }

    private func change(_ kind: LogDocument.Kind, _ operation: SLSOperation) throws -> WireAnswer {
        if operation.name == .deleteDashboard || operation.name == .deleteSavedSearch {
            try registry.deleteDocument(kind, operation.item ?? "", project: project)
            return Self.empty
        }
        let name = try SLSFields(json: body).filled(Self.names(of: kind).name)
        if let item = operation.item {
            guard name == item else { throw LogServiceError.parameter("The body is of another name than the path.") }
            try registry.updateDocument(kind, name, Data(body), project: project)
        } else {
            try registry.createDocument(kind, Data(body), project: project)
        }
        return Self.empty
    }

    private func list(_ kind: LogDocument.Kind) throws -> WireAnswer {
        let names = Self.names(of: kind)
        let all = try registry.documents(kind, project: project)
        let (offset, size) = try page(defaultSize: 100)
        let shown = all.dropFirst(offset).prefix(size)
        var answer = JSONFields()
        answer.add(shown.count, "count")
        answer.add(all.count, "total")
        answer.add(texts: shown.map(\.name), names.list)
        answer.add(
            try shown.map { document in
                var item = JSONFields()
                item.add(document.name, names.name)
                item.add(try SLSFields(json: [UInt8](document.json)).text("displayName") ?? document.name, "displayName")
                return item
            }, names.items)
        return Self.json(answer)
    }

    private static func names(of kind: LogDocument.Kind) -> (name: String, list: String, items: String) {
        switch kind {
        case .dashboard: ("dashboardName", "dashboards", "dashboardItems")
        case .savedSearch: ("savedsearchName", "savedsearches", "savedsearchItems")
        }
    }
}
