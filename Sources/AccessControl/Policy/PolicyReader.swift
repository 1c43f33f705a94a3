// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Reads the text of a policy. Source: ram.md section 4, kms.md section 4.8, oss.md section 11.
///
/// Nothing unknown is passed over: a misspelt `Conditon` would otherwise turn a narrow grant into a wide one.
/// Condition keys and actions are the exception, which the vendor leaves open.
struct PolicyReader {
    typealias Kind = PolicyDocument.Kind

    private static let longestSid = 128

    let kind: Kind

    func statements(in text: String) throws(PolicySyntaxError) -> [PolicyStatement] {
        guard text.unicodeScalars.count <= kind.maximumLength else {
            throw PolicySyntaxError("document", "longer than \(kind.maximumLength) characters")
        }
        let members = try Members(try PolicyJSON(parsing: text), at: "document", known: ["Version", "Statement"])
        guard case .string("1")? = members["Version"] else { throw PolicySyntaxError("Version", "must be \"1\"") }
        guard case .array(let list)? = members["Statement"], !list.isEmpty else {
            throw PolicySyntaxError("Statement", "must be a list of one statement or more")
        }
        var statements: [PolicyStatement] = []
        for (place, json) in list.enumerated() { statements.append(try statement(json, number: place + 1)) }
        return statements
    }

    private func statement(_ json: PolicyJSON, number: Int) throws(PolicySyntaxError) -> PolicyStatement {
        let place = "Statement[\(number)]"
        var known = ["Sid", "Effect", "Action", "NotAction", "Condition"]
        if kind.hasPrincipals { known.append("Principal") }
        if kind != .trust { known.append("Resource") }
        if kind == .bucket { known.append("NotResource") }
        let members = try Members(json, at: place, known: known)
        guard case .string(let word)? = members["Effect"], let effect = PolicyStatement.Effect(rawValue: word) else {
            throw PolicySyntaxError(place + ".Effect", "must be Allow or Deny")
        }
        return PolicyStatement(
            number: number,
            sid: try sid(members["Sid"], at: place + ".Sid"),
            effect: effect,
            actions: try patterns("Action", of: members, at: place, check: checkAction),
            resources: kind == .trust ? nil : try patterns("Resource", of: members, at: place, check: checkResource),
            principals: try principals(members["Principal"], at: place + ".Principal"),
            conditions: try conditions(members["Condition"], at: place + ".Condition"))
    }

    private func sid(_ json: PolicyJSON?, at place: String) throws(PolicySyntaxError) -> String? {
        guard let json else { return nil }
        guard case .string(let sid) = json, sid.unicodeScalars.count <= Self.longestSid,
            sid.unicodeScalars.allSatisfy({ kind == .key ? Self.isKeySid($0) : $0.properties.generalCategory != .control })
        else {
            throw PolicySyntaxError(place, "must be a text of at most \(Self.longestSid) plain characters")
        }
        return sid.nonEmpty
    }

    private static func isKeySid(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII
            && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || "_/+=.@-".unicodeScalars.contains(scalar))
    }

    // MARK: Actions and resources

    private func patterns(
        _ name: String, of members: Members, at place: String,
        check: (_ pattern: String, _ place: String) throws(PolicySyntaxError) -> Void
    ) throws(PolicySyntaxError) -> PolicyStatement.Patterns {
        let chosen: (name: String, json: PolicyJSON, areExcluded: Bool)
        switch (members[name], members["Not" + name]) {
        case (let json?, nil): chosen = (name, json, false)
        case (nil, let json?): chosen = ("Not" + name, json, true)
        case (nil, nil): throw PolicySyntaxError("\(place).\(name)", "is missing")
        default: throw PolicySyntaxError("\(place).\(name)", "stands beside Not\(name); only one of the two may")
        }
        let place = "\(place).\(chosen.name)"
        let texts = try Self.texts(chosen.json, at: place)
        for text in texts {
            try check(text, place)
            guard Glob.isSearchable(text) else {
                throw PolicySyntaxError(place, "more than \(Glob.longestSearch) characters with ? between two *")
            }
        }
        return PolicyStatement.Patterns(texts: texts, areExcluded: chosen.areExcluded)
    }

    private func checkAction(_ action: String, at place: String) throws(PolicySyntaxError) {
        let service = action.splitAtFirst(Ascii.colon)
        guard action == "*" || service.tail?.isEmpty == false && !service.head.isEmpty else {
            throw PolicySyntaxError(place, "\(Self.shown(action)) is neither * nor service:Operation")
        }
        let wanted: String? =
            switch kind {
            case .identity, .session: nil
            case .trust: "sts"
            case .key: "kms"
            case .bucket: action == "*" ? nil : "oss"
            }
        guard let wanted, !service.head.equalsIgnoringAsciiCase(wanted) else { return }
        throw PolicySyntaxError(place, "\(Self.shown(action)) does not begin with \(wanted):")
    }

    private func checkResource(_ resource: String, at place: String) throws(PolicySyntaxError) {
        switch kind {
        case .key where resource != "*": throw PolicySyntaxError(place, "must be *, which is the key itself")
        case .bucket where resource != "*" && !resource.utf8.starts(with: "acs:oss:".utf8):
            throw PolicySyntaxError(place, "\(Self.shown(resource)) is neither * nor begins with acs:oss:")
        default:
            guard resource == "*" || resource.utf8.starts(with: "acs:".utf8) else {
                throw PolicySyntaxError(place, "\(Self.shown(resource)) is neither * nor begins with acs:")
            }
        }
    }

    // MARK: Principals

    private func principals(_ json: PolicyJSON?, at place: String) throws(PolicySyntaxError) -> [PolicyPrincipal]? {
        guard kind.hasPrincipals else { return nil }
        guard let json else { throw PolicySyntaxError(place, "is missing") }
        var principals: [PolicyPrincipal] = []
        if kind == .bucket {
            if case .array(let list) = json, list.isEmpty { return [.anyone] }
            for text in try Self.texts(json, at: place) {
                guard let principal = PolicyPrincipal(inBucketPolicy: text) else {
                    throw PolicySyntaxError(
                        place, "\(Self.shown(text)) is neither * nor an account id, a user id or an ARN of role sessions")
                }
                principals.append(principal)
            }
        } else {
            let members = try Members(json, at: place, known: kind == .key ? ["RAM"] : ["RAM", "Service", "Federated"])
            guard !members.all.isEmpty else { throw PolicySyntaxError(place, "names nobody") }
            for member in members.all {
                let place = "\(place).\(member.name)"
                for text in try Self.texts(member.value, at: place) {
                    guard let principal = PolicyPrincipal(text, under: member.name) else {
                        throw PolicySyntaxError(place, "\(Self.shown(text)) names no principal")
                    }
                    principals.append(principal)
                }
            }
        }
        return principals
    }

    // MARK: Conditions

    private func conditions(_ json: PolicyJSON?, at place: String) throws(PolicySyntaxError) -> [Condition] {
        guard let json else { return [] }
        var conditions: [Condition] = []
        for member in try Members(json, at: place, known: nil).all {
            let place = "\(place).\(Self.shown(member.name))"
            guard let condition = ConditionOperator(member.name) else { throw PolicySyntaxError(place, "unknown operator") }
            for key in try Members(member.value, at: place, known: nil).all {
                let place = "\(place).\(Self.shown(key.name))"
                let texts = try Self.texts(key.value, at: place, areOperands: true)
                do throws(ConditionOperator.BadOperand) {
                    conditions.append(try Condition(condition, key: ConditionKey(key.name), operands: texts))
                } catch {
                    throw PolicySyntaxError(place, "\(Self.shown(error.text)) is not \(error.expected)")
                }
            }
        }
        return conditions
    }

    // MARK: Values

    /// A text or a list of texts. Operands may be written as booleans and numbers too.
    private static func texts(
        _ json: PolicyJSON, at place: String, areOperands: Bool = false
    ) throws(PolicySyntaxError) -> [String] {
        let list: [PolicyJSON] =
            switch json {
            case .array(let list): list
            default: [json]
            }
        guard !list.isEmpty else { throw PolicySyntaxError(place, "is an empty list") }
        var texts: [String] = []
        for json in list {
            switch json {
            case .string(let text): texts.append(text)
            case .number(let text) where areOperands: texts.append(text)
            case .bool(let value) where areOperands: texts.append(value ? "true" : "false")
            default: throw PolicySyntaxError(place, "must be a text or a list of texts")
            }
        }
        return texts
    }

    /// A part of the document as errors repeat it: no longer than a line.
    static func shown(_ text: String) -> String {
        text.unicodeScalars.count <= 64 ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(64))) + "…"
    }
}

/// The members of an object whose names are all known.
private struct Members {
    let all: [PolicyJSON.Member]

    /// - Parameter known: nil if any name will do.
    init(_ json: PolicyJSON, at place: String, known: [String]?) throws(PolicySyntaxError) {
        guard case .object(let members) = json else { throw PolicySyntaxError(place, "must be an object") }
        for member in members where known?.contains(member.name) == false {
            throw PolicySyntaxError("\(place).\(PolicyReader.shown(member.name))", "is no element of this kind of policy")
        }
        all = members
    }

    subscript(name: String) -> PolicyJSON? { all.first { $0.name == name }?.value }
}

extension PolicyDocument.Kind {
    /// Whether the document hangs on a resource and says whom it means.
    var hasPrincipals: Bool {
        switch self {
        case .identity, .session: false
        case .trust, .bucket, .key: true
        }
    }
}
