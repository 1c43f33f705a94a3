// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import KeyManagement

/// `Filters` of ListKeys; source: kms.md section 4.1. Values of one key are alternatives, keys have to hold together.
struct KeyFilters {
    private struct Filter: Decodable {
        var Key: String
        var Values: [String]
    }

    private static let known: Set = [
        "keystate", "keyspec", "keyusage", "protectionlevel", "creatortype", "dkmsinstanceid", "keyid", "aliasname", "creator",
        "tagkey", "tagvalue",
    ]

    private var wanted: [String: [String]] = [:]

    init(_ call: KeyCall) throws(RPCError) {
        let filters = try call.json([Filter].self, "Filters", "a JSON array of Key and Values") ?? []
        guard filters.count <= 10, filters.allSatisfy({ $0.Values.count <= 10 }) else {
            throw .invalid("Filters", "there are more than 10 filters, or more than 10 values in one")
        }
        for filter in filters {
            let name = filter.Key.lowercased()
            guard Self.known.contains(name) else { throw .invalid("Filters", "there is no filter of the key \(filter.Key)") }
            wanted[name, default: []] += filter.Values
        }
    }

    func match(_ key: KeyRecord, aliases: () -> [String]) -> Bool {
        wanted.allSatisfy { name, values in
            if values.isEmpty { return true }
            let present: [String] =
                switch name {
                case "keystate": [key.state.rawValue]
                case "keyspec": [key.spec.rawValue]
                case "keyusage": [key.usage.rawValue]
                case "protectionlevel": ["SOFTWARE"]
                case "creatortype": ["User"]
                case "keyid": [key.id]
                case "aliasname": aliases()
                case "creator": [key.account]
                case "tagkey": Array(key.tags.keys)
                case "tagvalue": Array(key.tags.values)
                default: []
                }
            return values.contains { present.contains($0) }
        }
    }
}
