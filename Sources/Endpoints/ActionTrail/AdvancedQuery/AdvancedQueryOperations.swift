// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// Templates and history of queries on a trail's logstore: actiontrail.md section 15.
extension RPCOperation {
    static let advancedQueryOperations: [RPCOperation] = [
        template("CreateAdvancedQueryTemplate", isWrite: true) { context in
            let template = QueryTemplate(
                id: QueryTemplates.newId("utpl-"), name: try context.templateName() ?? "",
                query: try context.queryText("TemplateSql", required: true) ?? "",
                isSimple: try context.requiredFlag("SimpleQuery"), createdAt: context.services.nowMilliseconds)
            try context.queryTemplates.create(template, account: context.accountId)
            return RPCAnswer(JSONFields(template, flagAsText: true))
        },
        template("UpdateAdvancedQueryTemplate", isWrite: true) { context in
            let id = try context.required("TemplateId")
            let name = try context.templateName()
            let query = try context.queryText("TemplateSql")
            let isSimple = try context.requiredFlag("SimpleQuery")
            let template = try context.queryTemplates.update(id, account: context.accountId) { template in
                template.name = name ?? template.name
                template.query = query ?? template.query
                template.isSimple = isSimple
            }
            return RPCAnswer(JSONFields(template, flagAsText: true))
        },
        template("GetAdvancedQueryTemplate", isWrite: false) { context in
            let template = try context.queryTemplates.template(
                try context.required("TemplateId"), account: context.accountId)
            return RPCAnswer(JSONFields(template, flagAsText: false))
        },
        template("DeleteAdvancedQueryTemplate", isWrite: true) { context in
            try context.queryTemplates.delete(try context.required("TemplateId"), account: context.accountId)
            return RPCAnswer()
        },
        template("DescribeAdvancedQueryTemplate", isWrite: false) { context in
            let number = try context.integer("PageNumber", in: 1...1_000_000, default: 1)
            let size = try context.integer("PageSize", in: 1...100, default: 20)
            var templates = try context.queryTemplates.templates(account: context.accountId)
            if let part = context.filled("TemplateName")?.lowercased() {
                templates = templates.filter { $0.name.lowercased().contains(part) }
            }
            var page = JSONFields()
            page.add(String(number), "PageNumber")
            page.add(String(size), "PageSize")
            page.add(templates.count, "Total")
            page.add(
                templates.dropFirst((number - 1) * size).prefix(size).map { JSONFields($0, flagAsText: false) },
                "TemplateList")
            var answer = JSONFields()
            answer.add(page, "TemplatePage")
            return RPCAnswer(answer)
        },
        RPCOperation("CreateAdvancedQueryHistory", isWrite: true, resourceType: nil) { context in
            let query = PastQuery(
                id: QueryTemplates.newId("query-"), query: try context.queryText("QuerySql") ?? "",
                isSimple: try context.requiredFlag("SimpleQuery"), ranAt: context.services.nowMilliseconds)
            try context.queryTemplates.keep(query, account: context.accountId)
            return RPCAnswer(JSONFields(query))
        },
        RPCOperation("DescribeAdvancedQueryHistory", isWrite: false, resourceType: nil) { context in
            var answer = JSONFields()
            answer.add(
                try context.queryTemplates.pastQueries(account: context.accountId).map { query in
                    var fields = JSONFields(query)
                    fields.add(String(query.ranAt), "TimeStamp")
                    return fields
                }, "QueryHistoryList")
            return RPCAnswer(answer)
        },
        RPCOperation("DeleteAdvancedQueryHistory", isWrite: true, resourceType: nil) { context in
            try context.queryTemplates.forget(try context.required("QueryId"), account: context.accountId)
            return RPCAnswer()
        },
        // Queries that come with the service.
        RPCOperation("DescribeScenes", isWrite: false, resourceType: nil) { context in
            let part = context.filled("SearchCode")?.lowercased()
            let scenes = SearchScene.all.filter { scene in
                part.map { scene.name.lowercased().contains($0) || scene.id.contains($0) } ?? true
            }
            var answer = JSONFields()
            answer.add(
                scenes.map { scene in
                    var fields = JSONFields()
                    fields.add(scene.id, "SceneId")
                    fields.add(scene.name, "Name")
                    fields.add(scene.description, "Description")
                    return fields
                }, "SceneList")
            return RPCAnswer(answer)
        },
        RPCOperation("DescribeSearchTemplates", isWrite: false, resourceType: nil) { context in
            let id = try context.required("SceneId")
            let number = try context.integer("PageNumber", in: 1...1_000_000, default: 1)
            let size = try context.integer("PageSize", in: 1...100, default: 20)
            guard let scene = SearchScene.all.first(where: { $0.id == id }) else {
                throw RPCError(404, "SceneNotFound", "There is no such scene.")
            }
            var answer = JSONFields()
            answer.add(number, "PageNumber")
            answer.add(size, "PageSize")
            answer.add(
                scene.templates.dropFirst((number - 1) * size).prefix(size).map { template in
                    var fields = JSONFields()
                    fields.add(template.id, "TemplateId")
                    fields.add(template.name, "TemplateName")
                    fields.add(scene.id, "SceneId")
                    fields.add(template.query, "Sql")
                    return fields
                }, "TemplateList")
            return RPCAnswer(answer)
        },
    ]

    /// The action on the template that `TemplateId` names, on all of them if it names none.
    private static func template(
        _ name: String, isWrite: Bool, _ run: @escaping @Sendable (RPCContext) async throws -> RPCAnswer
    ) -> RPCOperation {
        RPCOperation(
            name, isWrite: isWrite, resourceType: "ACS::ActionTrail::AdvancedQueryTemplate", namedBy: "TemplateId",
            permission: .requests { context in
                [
                    AccessRequest(
                        "actiontrail:" + name,
                        on: "acs:actiontrail:\(context.services.region):\(context.accountId):advancedquerytemplate/"
                            + (context.filled("TemplateId") ?? "*"))
                ]
            }, run)
    }
}

extension RPCContext {
    /// Bytes of a query's text.
    private static let queryLimit = 16_384

    fileprivate var queryTemplates: QueryTemplates { QueryTemplates(metadata: services.metadata) }

    fileprivate func requiredFlag(_ name: String) throws(RPCError) -> Bool {
        _ = try required(name)
        return try flag(name)
    }

    fileprivate func templateName() throws(RPCError) -> String? {
        guard let name = filled("TemplateName") else { return nil }
        guard name.count <= 64 else { throw .invalidParameter("TemplateName is longer than 64 characters.") }
        return name
    }

    fileprivate func queryText(_ name: String, required isRequired: Bool = false) throws(RPCError) -> String? {
        let text = isRequired ? try required(name) : filled(name)
        guard text?.utf8.count ?? 0 <= Self.queryLimit else {
            throw .invalidParameter("\(name) is longer than \(Self.queryLimit) bytes.")
        }
        return text
    }
}

extension JSONFields {
    /// - Parameter flagAsText: `SimpleQuery` is a text in the answers to Create and Update, and a boolean in the others.
    fileprivate init(_ template: QueryTemplate, flagAsText: Bool) {
        self.init()
        add(template.id, "TemplateId")
        add(template.name, "TemplateName")
        add(template.query, "TemplateSql")
        if flagAsText {
            add(template.isSimple ? "true" : "false", "SimpleQuery")
        } else {
            add(template.isSimple, "SimpleQuery")
        }
    }

    fileprivate init(_ query: PastQuery) {
        self.init()
        add(query.id, "QueryId")
        add(query.query, "QuerySql")
        add(query.isSimple, "SimpleQuery")
    }
}
