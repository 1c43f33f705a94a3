// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Every operation of the sample, found by its key.
struct Catalog: Sendable {
    let operations: [Operation]
    private let places: [String: Int]

    init() {
        operations =
            Catalog.computing + Catalog.networking + Catalog.storing + Catalog.identities + Catalog.platform
            + Catalog.signIns
        places = Dictionary(uniqueKeysWithValues: zip(operations.map(\.key), 0...))
    }

    func index(of key: String) -> Int {
        guard let place = places[key] else {
            preconditionFailure("the sample's catalog has no operation \(key)")
        }
        return place
    }
}
