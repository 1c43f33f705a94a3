// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An event as text with slots: which fields it has, in which order.
///
/// - Shape: fields stand in alphabetical order and end before the closing brace; `Slot.tail` closes the line.
/// - Source: actiontrail.md section 17. The code of a wrong password is ours; the real one is not published.
package enum EventLayout {
    package static func text(of operation: Operation, outcome: Outcome) -> String {
        var fields: [String] = []
        func add(_ name: String, _ value: JSON?) {
            if let value {
                fields.append("\"\(name)\":\(value.serialized)")
            }
        }
        let isSignIn = operation.service.product == Service.signIn.product
        let parameters = recordedParameters(of: operation)
        let failure = failure(of: operation, outcome: outcome)

        add("acsRegion", "‹region›")
        add("additionalEventData", additionalData(of: operation))
        add("apiVersion", operation.service.apiVersion.map(JSON.text))
        add("errorCode", failure.map { .text($0.code) } ?? (isSignIn ? "" : nil))
        add("errorMessage", failure.map { .text($0.message) } ?? (isSignIn ? "" : nil))
        add("eventCategory", operation.isDataEvent ? "Data" : "Management")
        add("eventId", isSignIn ? "1.‹page›_‹milliseconds›_‹code›" : "‹requestId›")
        add("eventName", .text(operation.name))
        add("eventRW", operation.writes ? "Write" : "Read")
        add("eventSource", .text(operation.service.host))
        add("eventTime", "‹time›")
        add("eventType", .text(operation.kind.rawValue))
        add("eventVersion", "1")
        add("isGlobal", .flag(operation.service.isGlobal))
        add("recipientAccountId", "‹account›")
        add("referencedResources", operation.resource.map { .object([.init(name: $0.type, value: [.text($0.id)])]) })
        add("requestId", "‹requestId›")
        add("requestParameterJson", parameters.map { .document($0) })
        add("requestParameters", parameters)
        add("resourceName", operation.resource.map { .text($0.id) })
        add("resourceType", operation.resource.map { .text($0.type) })
        add("responseElements", failure == nil ? response(of: operation) : nil)
        add("serviceName", .text(operation.service.product))
        add("sourceIpAddress", "‹address›")
        add("userAgent", "‹agent›")
        return "{" + fields.joined(separator: ",") + ",\"userIdentity\":‹identity›‹tail›"
    }

    private static func additionalData(of operation: Operation) -> JSON {
        switch operation.kind {
        case .signIn, .signOut:
            [
                "callbackUrl": "https://home.console.aliyun.com/home/dashboard", "isMFAChecked": "‹mfa›",
                "loginAccount": "‹caller›@\(Company.domain)", "mfaChecked": "‹mfa›",
            ]
        case .serviceEvent: ["CallerBid": "system"]
        case .apiCall, .consoleOperation: ["Scheme": "https"]
        }
    }

    private static func recordedParameters(of operation: Operation) -> JSON? {
        guard case .object(var fields) = operation.parameters else { return nil }
        func add(_ name: String, _ value: JSON) {
            if !fields.contains(where: { $0.name == name }) {
                fields.append(.init(name: name, value: value))
            }
        }
        guard operation.kind == .apiCall || operation.kind == .consoleOperation else {
            return fields.isEmpty ? nil : .object(fields)
        }
        if operation.service.hasGateway {
            add("AcsProduct", .text(operation.service.product))
        }
        add("ClientPort", .number(.port))
        return .object(fields)
    }

    private static func response(of operation: Operation) -> JSON? {
        guard case .object(let fields)? = operation.response, operation.kind == .apiCall else { return nil }
        return fields.isEmpty ? ["RequestId": "‹requestId›"] : .object(fields)
    }

    private static func failure(of operation: Operation, outcome: Outcome) -> (code: String, message: String)? {
        switch outcome {
        case .success:
            nil
        case .noPermission:
            (
                "NoPermission",
                "The caller ‹caller› may not do this. Action: "
                    + "\(operation.service.permissionPrefix):\(operation.name), resource: "
                    + "\(operation.resource?.id ?? "*"), reason: ImplicitDeny."
            )
        case .throttled:
            ("Throttling.User", "Too many calls by this user in a short time; try again later.")
        case .wrongPassword:
            ("InvalidUserOrPassword", "The user name or the password is wrong.")
        }
    }
}
