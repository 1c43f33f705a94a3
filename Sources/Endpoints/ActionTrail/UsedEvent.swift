// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogEngine

/// What the access-key audit tells of an event.
struct UsedEvent {
    /// The event as JSON text.
    let detail: String
    private let fields: [String: Any]

    init(_ record: StoredRecord) { self.init(record.bytes) }

    init(_ event: [UInt8]) {
        detail = String(decoding: event, as: UTF8.self)
        fields = (try? JSONSerialization.jsonObject(with: Data(event))) as? [String: Any] ?? [:]
    }

    var source: String { fields["eventCategory"] as? String == "Data" ? "DataEvent" : "ManagementEvent" }
    var serviceName: String { fields["serviceName"] as? String ?? fields["eventProduct"] as? String ?? "" }

    /// Nobody has proved to be the caller.
    var isAnonymous: Bool { identity("type") == "anonymous" }

    func identity(_ name: String) -> String? { (fields["userIdentity"] as? [String: Any])?[name] as? String }

    /// Of a resource that the event names: by type in `referencedResources`, or at the same place in two flat lists.
    func type(ofResource name: String) -> String? {
        for (type, names) in (fields["referencedResources"] as? [String: Any] ?? [:]).sorted(by: { $0.key < $1.key }) {
            if names as? String == name || (names as? [Any])?.contains(where: { $0 as? String == name }) == true {
                return type
            }
        }
        guard let types = list("resourceType", separators: ";") else { return nil }
        let names = list("resourceName", separators: ";,") ?? list("resourceID", separators: ";,") ?? []
        guard let place = names.firstIndex(of: name) else { return nil }
        return types.count == names.count ? types[place] : types.count == 1 ? types[0] : nil
    }

    private func list(_ name: String, separators: String) -> [String]? {
        (fields[name] as? String)?.split(omittingEmptySubsequences: false) { separators.contains($0) }.map(String.init)
    }
}
