// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Ids of the events that share a commit, by hash.
struct GroupIndex {
    typealias Place = (request: Int32, event: Int32)

    private var first: [UInt64: Place] = [:]
    /// Of hashes that come more than once, which is rare.
    private var further: [UInt64: [Place]] = [:]

    mutating func reserve(rows: Int) { first.reserveCapacity(first.count + rows) }

    mutating func add(_ hash: UInt64, request: Int, event: Int) {
        let place = (Int32(request), Int32(event))
        guard let known = first.updateValue(place, forKey: hash) else { return }
        further[hash, default: []].append(known)
    }

    func places(of hash: UInt64) -> [Place] {
        guard let place = first[hash] else { return [] }
        return (further[hash] ?? []) + [place]
    }
}
