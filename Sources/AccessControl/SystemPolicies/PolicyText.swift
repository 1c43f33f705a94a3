// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Writes policy documents, in the layout that the vendor shows them in.
struct PolicyText {
    struct Statement {
        var sid: String?
        var effect = PolicyStatement.Effect.allow
        var actions: [String]
        var areActionsExcluded = false
        /// Nil in a trust policy.
        var resources: [String]? = ["*"]
        /// Services that a trust policy lets take on the role.
        var services: [String]?
        /// One operator with one key.
        var condition: (operator: String, key: String, values: [String])?
    }

    static func document(_ statements: [Statement]) -> String {
        let list = statements.map { statement in
            "    {\n" + members(statement).map { "      \($0)" }.joined(separator: ",\n") + "\n    }"
        }
        return "{\n  \"Version\": \"1\",\n  \"Statement\": [\n\(list.joined(separator: ",\n"))\n  ]\n}"
    }

    private static func members(_ statement: Statement) -> [String] {
        var members: [String] = []
        if let sid = statement.sid { members.append("\"Sid\": \(quoted(sid))") }
        members.append("\"Effect\": \"\(statement.effect.rawValue)\"")
        if let services = statement.services { members.append("\"Principal\": {\"Service\": \(list(services))}") }
        members.append("\"\(statement.areActionsExcluded ? "NotAction" : "Action")\": \(list(statement.actions))")
        if let resources = statement.resources { members.append("\"Resource\": \(list(resources))") }
        if let condition = statement.condition {
            members.append(
                "\"Condition\": {\(quoted(condition.operator)): {\(quoted(condition.key)): \(list(condition.values))}}")
        }
        return members
    }

    private static func list(_ texts: [String]) -> String {
        texts.count == 1 ? quoted(texts[0]) : "[\(texts.map(quoted).joined(separator: ", "))]"
    }

    private static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case let scalar where scalar.value < 0x20:
                "\\u00" + TextCoding.hex([UInt8(scalar.value)])
            default: String(scalar)
            }
        }
        return "\"\(escaped.joined())\""
    }
}
