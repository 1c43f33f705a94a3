// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What tables show of an event.
struct EventSummary {
    var time: String
    var name: String
    var service: String
    var who: String
    var address: String
    /// The first one, or empty.
    var resource: String
    /// Empty if the call went well.
    var error: String
    var id: String

    init(_ event: [String: Any]) {
        func text(_ key: String) -> String { event[key] as? String ?? "" }
        let identity = event["userIdentity"] as? [String: Any] ?? [:]
        time = text("eventTime")
        name = text("eventName")
        service = text("serviceName")
        who = identity["userName"] as? String ?? identity["accessKeyId"] as? String ?? identity["type"] as? String ?? "-"
        address = text("sourceIpAddress")
        resource = text("resourceName")
        if resource.isEmpty, let references = event["referencedResources"] as? [String: [String]] {
            resource = references.sorted { $0.key < $1.key }.flatMap(\.value).first ?? ""
        }
        error = text("errorCode")
        id = text("eventId")
    }

    static let mainHeader = ["TIME", "USER", "EVENT", "SERVICE", "ADDRESS", "ERROR"]
    var mainColumns: [String] { [time, who, name, service, address, error.isEmpty ? "-" : error] }
}
