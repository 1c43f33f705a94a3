// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// What is kept of a role session. Secret and token are sealed, bound to the key's id.
struct SessionRow: Codable, Sendable {
    var id: String
    var sealedSecret: Data
    var sealedToken: Data
    var accountId: String
    var roleId: String
    var name: String
    var createdAt: Int64
    var expiresAt: Int64
    /// The session policy's text.
    var policy: String?

    var secretContext: Data { Data("\(id)\nsecret\n\(accountId)/\(roleId)/\(name)".utf8) }
    var tokenContext: Data { Data("\(id)\ntoken\n\(accountId)/\(roleId)/\(name)".utf8) }
    static func path(_ id: String) -> String { "role-sessions/" + id }
}

/// The sessions that live, by the id of their key; bounded.
struct SessionTable: Sendable {
    struct Session: Sendable {
        let row: SessionRow
        /// Nil if there is none or it cannot be read; see ``narrowing()``.
        private let document: PolicyDocument?

        init(_ row: SessionRow) {
            self.row = row
            document = row.policy.flatMap { try? PolicyDocument(parsing: $0, as: .session) }
        }

        var roleId: String { row.roleId }

        /// - Throws: rather than leave out what narrows the session.
        func narrowing() throws(DirectoryError) -> NamedPolicy? {
            guard row.policy != nil else { return nil }
            guard let document else { throw .damaged("policy of the session \(row.id)") }
            return NamedPolicy(name: row.name, type: .custom, document: document)
        }
    }

    static let capacity = 20_000
    /// How long an expired session is remembered, so that its holder is told what is wrong.
    static let afterlifeSeconds: Int64 = 3600

    private var sessions: [String: Session] = [:]
    private var lastSweep: Int64 = 0

    init(_ metadata: Metadata) throws {
        for row in try metadata.values(SessionRow.self, prefix: SessionRow.path("")) { sessions[row.id] = Session(row) }
    }

    subscript(id: String) -> Session? { sessions[id] }

    var isFull: Bool { sessions.count >= Self.capacity }

    mutating func put(_ session: Session) { sessions[session.row.id] = session }

    mutating func remove(_ ids: [String]) { for id in ids { sessions[id] = nil } }

    /// Ids of what can go; none when that was asked a short while ago, unless room is needed.
    mutating func sweepable(at now: Int64) -> [String] {
        guard isFull || now - lastSweep >= 300 else { return [] }
        lastSweep = now
        let limit = isFull ? now : now - Self.afterlifeSeconds
        return sessions.values.filter { $0.row.expiresAt <= limit }.map(\.row.id)
    }
}
