// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Foundation
import Testing

let now: Int64 = 1_767_225_600_000  // 2026-01-01T00:00:00Z
let here = ReceivingContext(accountId: "1000000000000001", region: "local-1", nowMilliseconds: now)

func parse(_ body: String, as format: EventFormat = .auto) -> ParsedBatch {
    EventParser().parse(Array(body.utf8), format: format, context: here)
}

/// A small complete event; `more` is put in front of its members.
func event(_ more: String = "", name: String = "CreateTrail", id: String = "E-1") -> String {
    #"{\#(more)"eventId":"\#(id)","eventName":"\#(name)","eventTime":"2026-01-01T00:00:00Z","#
        + #""acsRegion":"cn-hangzhou","recipientAccountId":"1000000000000001"}"#
}

extension ParsedBatch {
    func stored(_ index: Int = 0) -> String { String(decoding: bytes(of: events[index]), as: UTF8.self) }

    var rejections: [String] { rejected.map { "\($0.line) \($0.code)" } }

    /// The values of an attribute, in order.
    func values(_ attribute: LookupAttribute, _ index: Int = 0) -> [String] {
        terms(of: events[index]).filter { $0.attribute == attribute }.map { text(of: $0.value) }
    }

    /// The stored event as Foundation reads it.
    func object(_ index: Int = 0) throws -> [String: Any] {
        try #require(
            try JSONSerialization.jsonObject(with: Data(bytes(of: events[index]))) as? [String: Any])
    }
}

extension EventFields {
    func allTerms(in stored: [UInt8]) -> [String] {
        stored.withUnsafeBytes { bytes in
            terms.map { term in
                withBytes(of: term.value, in: bytes) { "\(term.attribute)=\(String(decoding: $0, as: UTF8.self))" }
            }
        }
    }
}

extension ParsedBatch {
    func allTerms(_ index: Int) -> [String] {
        terms(of: events[index]).map { "\($0.attribute)=\(text(of: $0.value))" }
    }
}

extension Dictionary where Key == String, Value == Any {
    /// The text at a dotted path.
    func text(_ path: String) -> String? {
        var value: Any? = self
        for name in path.split(separator: ".") { value = (value as? [String: Any])?[String(name)] }
        return value as? String
    }
}
