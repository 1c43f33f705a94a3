// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation

/// The policy language once more, straight from ram.md sections 4 and 4.1: slow, simple, and sharing no code with the
/// evaluator it is held against.
struct NaiveEvaluator {
    typealias Object = [String: Any]

    var identity: [[Object]]
    var session: [Object]?
    var resource: (kind: PolicyDocument.Kind, statements: [Object], owner: String)?
    var caller: Caller
    var circumstances: RequestCircumstances

    static func statements(_ text: String) throws -> [Object] {
        let document = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Object
        return document?["Statement"] as? [Object] ?? []
    }

    func word(_ request: AccessRequest) -> String {
        let account = request.resource.components(separatedBy: ":").dropFirst(3).first ?? ""
        let namesAccount = !account.isEmpty && account.allSatisfy { "0123456789".contains($0) }
        let foreign = namesAccount && account != caller.accountId || resource != nil && resource?.owner != caller.accountId

        if caller.kind == .ramUser || caller.kind == .assumedRole, let session {
            if session.contains(where: { applies($0, "Deny", request) }) { return "ExplicitDeny" }
            if !session.contains(where: { applies($0, "Allow", request) }) { return "ImplicitDeny" }
        }
        var own = caller.kind == .rootAccount
        if caller.kind == .ramUser || caller.kind == .assumedRole {
            let all = identity.flatMap { $0 }
            if all.contains(where: { applies($0, "Deny", request) }) { return "ExplicitDeny" }
            own = all.contains { applies($0, "Allow", request) }
        }
        var theirs = "nothing"
        let ownRoot = caller.kind == .rootAccount && !foreign
        let policyCall = ["oss:getbucketpolicy", "oss:putbucketpolicy", "oss:deletebucketpolicy"].contains(
            request.action.lowercased())
        if let resource, !(ownRoot && (resource.kind != .bucket || policyCall)) {
            for statement in resource.statements where applies(statement, "Deny", request) {
                if reach(statement, resource.kind) != "nothing" { return "ExplicitDeny" }
            }
            for statement in resource.statements where applies(statement, "Allow", request) {
                let reach = reach(statement, resource.kind)
                if reach == "direct" || theirs == "nothing" { theirs = reach }
            }
        }
        if caller.kind == .anonymous { return theirs == "direct" ? "Allow" : "ImplicitDeny" }
        if foreign { return own && theirs != "nothing" ? "Allow" : "ImplicitDeny" }
        return own || theirs == "direct" ? "Allow" : "ImplicitDeny"
    }

    // MARK: Statements

    private func applies(_ statement: Object, _ effect: String, _ request: AccessRequest) -> Bool {
        guard statement["Effect"] as? String == effect else { return false }
        let action = request.action.lowercased()
        if let actions = statement["Action"] {
            guard list(actions).contains(where: { glob($0.lowercased(), action) }) else { return false }
        } else {
            guard !list(statement["NotAction"]!).contains(where: { glob($0.lowercased(), action) }) else { return false }
        }
        if let resources = statement["Resource"] {
            guard list(resources).contains(where: { arn($0, request.resource) }) else { return false }
        } else if let resources = statement["NotResource"] {
            guard !list(resources).contains(where: { arn($0, request.resource) }) else { return false }
        }
        for (name, body) in statement["Condition"] as? [String: Object] ?? [:] {
            for (key, operands) in body where !condition(name, key, list(operands), request) { return false }
        }
        return true
    }

    private func list(_ value: Any) -> [String] {
        if let texts = value as? [Any] { return texts.flatMap(list) }
        return [value as! String]
    }

    private func glob(_ pattern: String, _ text: String) -> Bool {
        glob(Array(pattern.unicodeScalars)[...], Array(text.unicodeScalars)[...])
    }

    private func glob(_ pattern: ArraySlice<Unicode.Scalar>, _ text: ArraySlice<Unicode.Scalar>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        switch first {
        case "*": return glob(pattern.dropFirst(), text) || (!text.isEmpty && glob(pattern, text.dropFirst()))
        case "?": return !text.isEmpty && glob(pattern.dropFirst(), text.dropFirst())
        default: return text.first == first && glob(pattern.dropFirst(), text.dropFirst())
        }
    }

    private func split(_ arn: String) -> [String] {
        var parts: [String] = [""]
        for scalar in arn.unicodeScalars {
            if scalar == ":" && parts.count < 5 { parts.append("") } else { parts[parts.count - 1].unicodeScalars.append(scalar) }
        }
        return parts
    }

    private func arn(_ pattern: String, _ name: String) -> Bool {
        let patterns = split(pattern)
        guard patterns.count == 5 else { return glob(pattern, name) }
        let parts = split(name)
        guard parts.count == 5, parts[0] == "acs" else { return false }
        for place in 1..<4 where !(patterns[place].isEmpty || glob(patterns[place], parts[place])) { return false }
        let isRole = parts[1] == "ram" && parts[4].lowercased().hasPrefix("role/")
        return patterns[4].isEmpty
            || (isRole ? glob(patterns[4].lowercased(), parts[4].lowercased()) : glob(patterns[4], parts[4]))
    }

    // MARK: Principals

    private func reach(_ statement: Object, _ kind: PolicyDocument.Kind) -> String {
        var best = "nothing"
        func found(_ reach: String) { if best != "direct" { best = reach == "nothing" ? best : reach } }
        let isIdentity = [.rootAccount, .ramUser, .assumedRole].contains(caller.kind)
        func whole(_ account: String) {
            guard isIdentity, account == caller.accountId else { return }
            found(caller.kind == .rootAccount ? "direct" : "account")
        }
        if kind == .bucket {
            let names = (statement["Principal"] as? [Any])?.isEmpty == true ? ["*"] : list(statement["Principal"]!)
            for name in names {
                if name == "*" { found("direct") }
                if caller.kind == .ramUser, name == caller.principalId { found("direct") }
                whole(name)
                if let session = caller.session {
                    let parts = name.components(separatedBy: "/")
                    if parts.count == 3, parts[0] == "arn:sts::\(caller.accountId):assumed-role",
                        glob(parts[1].lowercased(), session.roleName.lowercased()),
                        glob(parts[2].lowercased(), session.name.lowercased())
                    {
                        found("direct")
                    }
                }
            }
        } else {
            for name in list((statement["Principal"] as! Object)["RAM"] ?? [String]()) {
                let parts = split(name)
                guard parts[3] == caller.accountId else { continue }
                if parts[4] == "*" || parts[4] == "root" { whole(parts[3]) }
                let names = parts[4].components(separatedBy: "/")
                if names[0] == "user", caller.kind == .ramUser, glob(names[1].lowercased(), caller.userName.lowercased()) {
                    found("direct")
                }
                if names[0] == "role", let session = caller.session,
                    glob(names[1].lowercased(), session.roleName.lowercased())
                {
                    found("direct")
                }
            }
        }
        return best
    }

    // MARK: Conditions

    private func values(_ key: String, _ request: AccessRequest) -> [String] {
        switch key.lowercased() {
        case "acs:sourceip": return [circumstances.sourceAddress]
        case "acs:currenttime": return [circumstances.now.iso8601]
        case "acs:securetransport": return ["\(circumstances.isSecureTransport)"]
        case "acs:mfapresent": return ["\(caller.session?.isMultiFactor ?? false)"]
        case "acs:useragent": return circumstances.userAgent.map { [$0] } ?? []
        case "acs:accessid": return caller.accessKeyId.map { [$0] } ?? []
        case "acs:principalarn":
            switch caller.kind {
            case .rootAccount: return ["acs:ram::\(caller.accountId):root"]
            case .ramUser: return ["acs:ram::\(caller.accountId):user/\(caller.userName)"]
            case .assumedRole: return ["acs:ram::\(caller.accountId):role/\(caller.session!.roleName)"]
            default: return []
            }
        default: return request.conditions.filter { $0.key.lowercased() == key.lowercased() }.flatMap(\.value)
        }
    }

    private func condition(_ name: String, _ key: String, _ operands: [String], _ request: AccessRequest) -> Bool {
        var name = name
        var quantifier = ""
        for prefix in ["ForAnyValue:", "ForAllValues:"] where name.hasPrefix(prefix) {
            quantifier = prefix
            name.removeFirst(prefix.count)
        }
        let negative = name.contains("Not")
        let positive = name.replacingOccurrences(of: "Not", with: "")
        let values = values(key, request)
        func fits(_ value: String) -> Bool { operands.contains { holds(positive, key, value, $0) } }
        switch quantifier {
        case "ForAnyValue:": return values.contains { fits($0) != negative }
        case "ForAllValues:": return values.allSatisfy { fits($0) != negative }
        default: return values.contains(where: fits) != negative
        }
    }

    private func holds(_ name: String, _ key: String, _ value: String, _ operand: String) -> Bool {
        var (value, operand) = (value, operand)
        if key.lowercased() == "acs:principalarn" {
            value = value.lowercased()
            operand = operand.lowercased().replacingOccurrences(of: "acs:ram:*:", with: "acs:ram::")
        }
        switch name {
        case "StringEquals", "StringEqualsAny": return value == operand
        case "StringEqualsIgnoreCase": return value.lowercased() == operand.lowercased()
        case "StringLike": return glob(operand, value)
        case "Bool": return value.lowercased() == operand.lowercased() && ["true", "false"].contains(value.lowercased())
        case "IpAddress": return isIn(operand, value)
        default:
            let isDate = name.hasPrefix("Date")
            guard let one = isDate ? date(value) : number(value), let other = isDate ? date(operand) : number(operand) else {
                return false
            }
            switch name.dropFirst(isDate ? 4 : 7) {
            case "Equals": return one == other
            case "LessThan": return one < other
            case "LessThanEquals": return one <= other
            case "GreaterThan": return one > other
            default: return one >= other
            }
        }
    }

    private func number(_ text: String) -> Decimal? {
        // `Decimal` itself is content with a number at the front: 10.1.2.3 would be 10.1.
        text.wholeMatch(of: /[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?/) == nil ? nil : Decimal(string: text)
    }

    private func date(_ text: String) -> Decimal? {
        ISO8601DateFormatter().date(from: text).map { Decimal($0.timeIntervalSince1970) }
    }

    private func isIn(_ network: String, _ address: String) -> Bool {
        let parts = network.components(separatedBy: "/")
        guard let base = bits(parts[0]), let address = bits(address), base.count == address.count else { return false }
        let length = parts.count > 1 ? Int(parts[1])! : base.count
        return base.prefix(length) == address.prefix(length)
    }

    private func bits(_ address: String) -> [Bool]? {
        var four = in_addr()
        var six = in6_addr()
        var bytes: [UInt8]
        if inet_pton(AF_INET, address, &four) == 1 {
            bytes = withUnsafeBytes(of: &four) { Array($0) }
        } else if inet_pton(AF_INET6, address, &six) == 1 {
            bytes = withUnsafeBytes(of: &six) { Array($0) }
            if bytes.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]) { bytes = Array(bytes.suffix(4)) }
        } else {
            return nil
        }
        return bytes.flatMap { byte in (0..<8).map { byte & (0x80 >> UInt8($0)) != 0 } }
    }
}
