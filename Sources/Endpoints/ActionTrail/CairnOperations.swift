// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import AuditEvent
import EventHistory
import Foundation
import MerkleLog

/// Operations that the vendor does not have: proofs, ingest tokens, the quarantine.
extension RPCOperation {
    /// GetEventProof: an event of the caller's account, its sequence and a `.tlog-proof`.
    static let getEventProof = RPCOperation("GetEventProof", isWrite: false, resourceType: nil) { context in
        let id = try context.required("EventId")
        let embed = try context.flag("EmbedEvent")
        let history = context.services.history
        let page = try history.lookUp(
            LookupQuery(
                account: context.accountId, conditions: [.init(.eventId, id)], times: Int64.min...Int64.max, limit: 10))
        guard let record = page.events.last else {
            throw RPCError(404, "EventNotFound", "No event with this id is held.")
        }
        var answer = JSONFields()
        answer.add(record.sequence, "Sequence")
        answer.add(try history.proof(of: record, embedEvent: embed).encoded, "Proof")
        answer.add(history.signedLog.verifierKey, "VerifierKey")
        answer.add(record.bytes.base64, "EventBytes")
        answer.add(page.events.count, "EventsWithThisId")
        return RPCAnswer(answer)
    }

    /// GetConsistencyProof: that the log at size To continues the log at size From.
    static let getConsistencyProof = RPCOperation("GetConsistencyProof", isWrite: false, resourceType: nil) { context in
        let history = context.services.history
        let size = history.treeSize
        let from = try context.integer("From", in: 0...Int(size), default: nil)
        let to = try context.integer("To", in: from...Int(size), default: Int(size))
        var answer = JSONFields()
        answer.add(from, "From")
        answer.add(to, "To")
        answer.add(
            raw: JSONFields.array(
                try history.consistencyProof(from: UInt64(from), to: UInt64(to)).map { Array("\"\($0.base64)\"".utf8) }),
            "Hashes")
        answer.add(try history.signedLog.checkpoint(size: UInt64(to)).encoded, "Checkpoint")
        return RPCAnswer(answer)
    }

    static let createIngestToken = RPCOperation("CreateIngestToken", isWrite: true, resourceType: "Cairn::IngestToken") {
        context in
        let name = try context.required("Name")
        guard name.utf8.count <= 64 else { throw RPCError.invalidParameter("Name is longer than 64 bytes.") }
        let days = try context.integer("ExpireInDays", in: 0...3650, default: 0)
        let now = WireTime(secondsSince1970: context.services.nowMilliseconds / 1000)
        let (token, record) = IngestToken.issue(
            name: name, accountId: context.accountId, at: now, expiresAt: days > 0 ? now + Int64(days) * 86_400 : nil)
        try context.services.identities.put(record)
        var answer = JSONFields(record)
        answer.add(token.reveal(), "IngestToken")
        return RPCAnswer(answer)
    }

    static let listIngestTokens = RPCOperation("ListIngestTokens", isWrite: false, resourceType: nil) { context in
        var answer = JSONFields()
        answer.add(
            context.services.identities.ingestTokens(account: context.accountId).map(JSONFields.init), "IngestTokens")
        return RPCAnswer(answer)
    }

    static let deleteIngestToken = RPCOperation("DeleteIngestToken", isWrite: true, resourceType: nil) { context in
        let id = try context.required("TokenId")
        guard try context.services.identities.deleteIngestToken(id: id, account: context.accountId) else {
            throw RPCError(404, "IngestTokenNotFound", "The account has no such ingest token.")
        }
        return RPCAnswer()
    }

    /// ListQuarantinedRecords: what was rejected, newest first.
    static let listQuarantinedRecords = RPCOperation("ListQuarantinedRecords", isWrite: false, resourceType: nil) { context in
        let limit = try context.integer("MaxResults", in: 1...1000, default: 100)
        let page = try context.services.quarantine.entries(
            account: context.accountId, before: context.filled("NextToken"), limit: limit)
        var answer = JSONFields()
        answer.add(
            page.entries.map { entry in
                var fields = JSONFields()
                fields.add(entry.receivedAt, "ReceivedTime")
                fields.add(entry.requestId, "RequestId")
                fields.add(entry.source, "SourceIpAddress")
                fields.add(entry.line, "Line")
                fields.add(entry.code, "Code")
                fields.add(entry.message, "Message")
                fields.add([UInt8](entry.record).base64, "Record")
                return fields
            }, "Records")
        answer.add(page.next, "NextToken")
        return RPCAnswer(answer)
    }
}

extension JSONFields {
    fileprivate init(_ record: IngestTokenRecord) {
        self.init()
        add(record.id, "TokenId")
        add(record.name, "Name")
        add(record.createdAt.iso8601, "CreateTime")
        add(record.expiresAt?.iso8601, "ExpireTime")
        add(record.isActive ? "Active" : "Inactive", "Status")
    }
}

extension [UInt8] {
    fileprivate var base64: String { Data(self).base64EncodedString() }
}
