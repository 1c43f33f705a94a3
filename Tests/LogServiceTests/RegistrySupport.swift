// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import Metadata
import Synchronization
import Testing

/// A clock that a test moves.
final class RegistryClock: Sendable {
    private let elapsed = Mutex(0)

    func advance(seconds: Int) { elapsed.withLock { $0 += seconds } }
    var uptime: Duration { .seconds(elapsed.withLock { $0 }) }
    var now: Date { Date(timeIntervalSince1970: 1_700_000_000 + Double(elapsed.withLock { $0 })) }
}

/// A registry in memory with a project `trails` and a logstore `audit` of two shards.
struct RegistryFixture {
    let metadata: Metadata
    let clock = RegistryClock()
    let registry: LogRegistry

    static let account = "1000000000000001"
    static let index = Data(#"{"line":{"token":[","," "],"caseSensitive":false,"chn":false}}"#.utf8)

    init(isEmpty: Bool = false) throws {
        metadata = try Metadata(path: nil)
        registry = LogRegistry(metadata: metadata, now: { [clock] in clock.now }, uptime: { [clock] in clock.uptime })
        guard !isEmpty else { return }
        try registry.createProject(Self.project("trails"))
        try registry.createLogstore(Self.logstore("audit"))
    }

    /// The same metadata after the service was started again.
    func restarted() -> LogRegistry {
        let start = clock.uptime
        return LogRegistry(metadata: metadata, now: { [clock] in clock.now }, uptime: { [clock] in clock.uptime - start })
    }

    static func project(_ name: String, account: String = account) -> Project {
        Project(name: name, account: account, region: "local-1", createdAt: 1_700_000_000)
    }

    static func logstore(_ name: String, project: String = "trails", shards: Int = 2) throws -> Logstore {
        Logstore(
            project: project, name: name, account: account, ttl: 30,
            shards: try LogRegistry.initialShards(count: shards, at: 1_700_000_000), createdAt: 1_700_000_000)
    }
}

/// The refusal must have this code.
func registryRefuses(
    _ code: String, status: Int = 400, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("not refused", sourceLocation: sourceLocation)
    } catch let error as LogServiceError {
        #expect(error.code == code && error.status == status, "\(error)", sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
}
