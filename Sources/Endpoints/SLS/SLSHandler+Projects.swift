// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService

/// Projects; source: sls.md section 7.1.
extension SLSHandler {
    func runOnProject(_ operation: SLSOperation, _ allowed: Allowed) async throws -> WireAnswer {
        switch operation.name {
        case .createProject: return try createProject(allowed.newName)
        case .listProject: return try listProjects()
        case .updateProject:
            let fields = try SLSFields(json: body)
            let description = try fields.text("description")
            let usesRecycleBin = try fields.flag("recycleBinEnabled")
            try registry.updateProject(project) { project in
                if let description { project.description = description }
                if let usesRecycleBin { project.recycleBinEnabled = usesRecycleBin }
            }
            return Self.empty
        case .deleteProject:
            for logstore in try registry.deleteProject(project) { try await services.logs.remove(logstore) }
            return Self.empty
        default:
            guard let project = allowed.project else { throw LogServiceError.noProject(project) }
            return Self.json(Self.fields(of: project))
        }
    }

    private func createProject(_ name: String) throws -> WireAnswer {
        let fields = try SLSFields(json: body)
        let now = services.wireNow.secondsSince1970
        try registry.createProject(
            Project(
                name: name, account: caller.accountId, description: try fields.text("description") ?? "",
                region: services.region, createdAt: now,
                resourceGroupId: try fields.text("resourceGroupId").flatMap { $0.isEmpty ? nil : $0 },
                dataRedundancyType: try fields.text("dataRedundancyType"),
                recycleBinEnabled: try fields.flag("recycleBinEnabled")))
        return Self.empty
    }

    private func listProjects() throws -> WireAnswer {
        let name = try parameters.text("projectName") ?? ""
        let description = try parameters.text("description") ?? ""
        let group = try parameters.text("resourceGroupId") ?? ""
        let all = try registry.projects(account: caller.accountId).filter { project in
            (name.isEmpty || project.name.contains(name))
                && (description.isEmpty || project.description.contains(description))
                && (group.isEmpty || project.resourceGroupId == group)
        }
        let (offset, size) = try page(defaultSize: 100)
        let shown = all.dropFirst(offset).prefix(size)
        var answer = JSONFields()
        answer.add(shown.count, "count")
        answer.add(all.count, "total")
        answer.add(shown.map(Self.fields), "projects")
        return Self.json(answer)
    }

    /// Numbers go as texts.
    private static func fields(of project: Project) -> JSONFields {
        var fields = JSONFields()
        fields.add(project.name, "projectName")
        fields.add(project.description, "description")
        fields.add("Normal", "status")
        fields.add(project.account, "owner")
        fields.add(project.region, "region")
        fields.add(String(project.createdAt), "createTime")
        fields.add(String(project.modifiedAt), "lastModifyTime")
        fields.add(project.resourceGroupId ?? "", "resourceGroupId")
        fields.add(project.dataRedundancyType ?? "LRS", "dataRedundancyType")
        if let usesRecycleBin = project.recycleBinEnabled { fields.add(usesRecycleBin, "recycleBinEnabled") }
        return fields
    }
}
