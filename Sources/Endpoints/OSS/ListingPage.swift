// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Where a listing goes on: after a version of a key; without one, after the key.
struct ListingPosition {
    var key = ""
    var versionId = ""
}

/// A page of a listing: entries in order, and the groups that a delimiter makes of the others.
///
/// - Shape: entries and groups together are at most as many as were asked for; `last` is that of the last of them.
struct ListingPage<Entry> {
    private(set) var entries: [Entry] = []
    private(set) var commonPrefixes: [String] = []
    private(set) var last = ListingPosition()
    private(set) var isTruncated = false

    var count: Int { entries.count + commonPrefixes.count }

    /// - Parameters:
    ///   - marker: names up to and including this one are not listed.
    ///   - batch: entries with the prefix after a position, in order, at most so many.
    init(
        _ grouping: CommonPrefix, after marker: ListingPosition, limit: Int, position positionOf: (Entry) -> ListingPosition,
        batch next: (_ after: ListingPosition, _ limit: Int) throws -> [Entry]
    ) throws {
        var position = ListingPosition(key: grouping.position(after: marker.key), versionId: marker.versionId)
        var size = grouping.firstBatch
        while true {
            let batch = try next(position, min(size, 1000, limit - count + 1))
            guard !batch.isEmpty else { return }
            size *= 2
            var goesOn = false
            for entry in batch {
                let place = positionOf(entry)
                // A row that was changed from outside may tell a key of elsewhere: it must not lead back there.
                guard !place.key.utf8.lexicographicallyPrecedes(position.key.utf8) else { continue }
                if count == limit {
                    isTruncated = true
                    return
                }
                goesOn = true
                if let group = grouping.group(of: place.key) {
                    commonPrefixes.append(group)
                    last = ListingPosition(key: group)
                    position = ListingPosition(key: CommonPrefix.end(of: group))
                    size = grouping.firstBatch
                    break
                }
                entries.append(entry)
                last = place
                position = place
            }
            guard goesOn else { return }
        }
    }
}
