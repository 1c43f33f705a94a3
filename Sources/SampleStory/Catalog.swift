// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Every operation of the sample, found by its key.
package struct Catalog: Sendable {
    package let operations: [Operation]
    private let places: [String: Int]

    package init() {
        operations =
            Catalog.computing + Catalog.networking + Catalog.storing + Catalog.identities + Catalog.platform
            + Catalog.signIns
        places = Dictionary(uniqueKeysWithValues: zip(operations.map(\.key), 0...))
    }

    package func index(of key: String) -> Int {
        guard let place = places[key] else {
            preconditionFailure("the sample's catalog has no operation \(key)")
        }
        return place
    }
}
