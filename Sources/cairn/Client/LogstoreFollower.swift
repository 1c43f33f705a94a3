// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService

/// Follows all shards of a logstore (PullLogs), each log handed over once.
struct LogstoreFollower {
    private static let pause = Duration.seconds(1)
    /// Rounds between looks for new shards.
    private static let shardRounds = 15

    private let client: LogClient
    private let place: LogstorePlace
    private let search: String?
    private var reconnection = Reconnection()
    private var cursors: [Int: String] = [:]

    /// - Parameter since: seconds since 1970 at which the first log arrived; nil for what arrives from now on.
    init(client: LogClient, place: LogstorePlace, search: String?, since: Int64?) async throws {
        self.client = client
        self.place = place
        self.search = search
        try await findShards(from: since.map { String($0) } ?? "end")
    }

    mutating func follow(_ take: ([LogRow]) throws -> Void) async throws {
        var round = 0
        while true {
            round += 1
            // Shards that were split off since hold nothing that is older.
            if round % Self.shardRounds == 0 { try await findShards(from: "begin") }
            var rows: [LogRow] = []
            var isBehind = false
            for shard in cursors.keys.sorted() { isBehind = try await pull(shard, into: &rows) || isBehind }
            try take(rows.enumerated().sorted { ($0.element.moment, $0.offset) < ($1.element.moment, $1.offset) }.map(\.element))
            if !isBehind { try await Task.sleep(for: Self.pause) }
        }
    }

    /// - Returns: whether there may be more.
    private mutating func pull(_ shard: Int, into rows: inout [LogRow]) async throws -> Bool {
        guard let cursor = cursors[shard] else { return false }
        let (client, place, search) = (client, place, search)
        do {
            let pulled = try await reconnection.answer {
                try await client.pull(shard: shard, from: cursor, search: search, of: place)
            }
            rows += pulled.rows
            cursors[shard] = pulled.next
            return !pulled.isAtEnd
        } catch let error as SLSClientError where error.code == "ShardNotExist" {
            // Deleted when its logs had outlived their time.
            cursors[shard] = nil
            return false
        }
    }

    private mutating func findShards(from position: String) async throws {
        let (client, place) = (client, place)
        for shard in try await reconnection.answer({ try await client.shards(of: place) }) where cursors[shard] == nil {
            cursors[shard] = try await reconnection.answer { try await client.cursor(position, shard: shard, of: place) }
        }
    }
}

extension LogRow {
    /// Nanoseconds since 1970.
    fileprivate var moment: Int64 {
        let (time, overflows) = (seconds ?? 0).multipliedReportingOverflow(by: 1_000_000_000)
        return overflows ? .max : time + (self[Self.nanosecondsKey].flatMap { Int64($0) } ?? 0)
    }
}
