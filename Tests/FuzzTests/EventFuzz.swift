// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Foundation
import Testing

extension Fuzzing {
    @Suite struct `The event scanner` {
        @Test func `stores JSON that says the same, and finds the same in it again`() async throws {
            try await Fuzzer(name: "events", kind: .json, made: Self.made).run { try Self.checkBody($0) }
        }

        @Test func `takes what is JSON, and nothing else`() async throws {
            try await Fuzzer(name: "json", kind: .json, tries: 6000).run { try Self.checkJSON($0) }
        }

        @Test func `reads times that can be written again`() async throws {
            try await Fuzzer(name: "event-time", kind: .text, tries: 6000, sizeLimit: 40).run { try Self.checkTime($0) }
        }

        private static let context = ReceivingContext(
            accountId: "1000000000000001", region: "local-1", nowMilliseconds: 1_767_225_600_123)

        /// In stored events, where a record may lie two levels down.
        private static let storedDepth = EventParser.maximumDepth + 2

        /// What would be long in a file: nesting at the limits, a long key, many lines.
        private static let made: [[UInt8]] = {
            func nested(_ depth: Int) -> String {
                String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)
            }
            let heads = [
                #"{"eventName":"n","#, #"{"eventName":"n","awsRegion":"r","requestParameters":{},"#,
                #"{"kind":"Event","auditID":"a","verb":"get","#, #"{"specversion":"1.0","id":"1","source":"s","type":"t","#,
                #"{"specversion":"1.0","id":"1","source":"s","type":"t","#
                    + #""data":{"eventName":"n","eventId":"i","requestParameters":{}},"#,
            ]
            var texts: [String] = []
            for head in heads {
                for depth in [126, 127, 128, 129] { texts.append(head + #""a":"# + nested(depth) + "}") }
            }
            texts.append(#"{"eventName":"n",""# + String(repeating: "k", count: 3000) + #"":1}"#)
            texts.append((0..<40).map { #"{"eventName":"n\#($0)"}"# }.joined(separator: "\r\n"))
            texts.append(String(repeating: "[", count: 5000))
            texts.append(String(repeating: "{\"a\":\n", count: 1500))
            texts.append(#"{"eventName":"n","resourceName":""# + String(repeating: "a;b,", count: 200) + #""}"#)
            return texts.map { Array($0.utf8) }
        }()

        // MARK: A body

        private static func checkBody(_ body: [UInt8]) throws -> String {
            try checkExtraction(body)
            var outcomes: [String] = []
            for format in EventFormat.allCases {
                let batch = EventParser().parse(body, format: format, context: context)
                try checkBatch(batch)
                try checkWhole(body, batch, format)
                let codes = Set(batch.rejected.map(\.code)).sorted()
                outcomes.append("\(min(batch.events.count, 3)) \(batch.terms.count / 4) \(codes)")
            }
            return outcomes.joined(separator: "|")
        }

        /// Bytes of which nobody knows where they come from.
        private static func checkExtraction(_ bytes: [UInt8]) throws {
            guard let fields = EventFields.extract(bytes) else { return }
            try demand(ReferenceJSON.read(bytes, maximumDepth: storedDepth) != nil, "fields were found in what is not JSON")
            for value in values(of: fields, in: bytes) { try checkValue(value) }
        }

        private static func checkBatch(_ batch: ParsedBatch) throws {
            var end = 0
            for event in batch.events {
                try demand(event.range.lowerBound == end && !event.range.isEmpty, "events lie side by side in the arena")
                end = event.range.upperBound
                try checkEvent(event, Array(batch.bytes(of: event)), of: batch)
            }
            try demand(end == batch.arena.count, "the arena holds the events and nothing else")
            for rejected in batch.rejected {
                try demand(rejected.line >= 1 && rejected.count >= 1, "a rejected record has a line and is counted")
                try demand(batch.bytes(of: rejected).count <= 64 << 10, "at most 64 KiB of a rejected record are kept")
                try demand(!rejected.message.isEmpty && !rejected.code.isEmpty, "a rejection says why")
            }
        }

        private static func checkEvent(_ event: ParsedEvent, _ stored: [UInt8], of batch: ParsedBatch) throws {
            guard let tree = ReferenceJSON.read(stored, maximumDepth: storedDepth), case .object = tree else {
                throw Broken("what is stored is not a JSON object")
            }
            try demand(
                try JSONTape.minify(stored, maximumDepth: storedDepth) == stored, "what is stored has no white space to leave out"
            )
            if let read = try? JSONSerialization.jsonObject(with: Data(stored)) {
                try demand(tree.isSame(as: read), "Foundation reads what is stored as something else")
            }
            try demand(
                stored.withUnsafeBytes { EventDigest(hashing: $0) } == event.digest, "the digest is that of what is stored")

            guard let fields = EventFields.extract(stored) else { throw Broken("no fields can be read from what is stored") }
            let given = values(of: event, in: batch)
            try demand(values(of: fields, in: stored) == given, "what is stored has other terms than were given")
            for value in given { try checkValue(value) }
            try demand(
                fields.timeMilliseconds == event.timeMilliseconds && fields.isWrite == event.isWrite
                    && fields.isGlobal == event.isGlobal, "what is stored has another time or kind")
            for (place, slice) in [
                (fields.eventId, event.eventId), (fields.region, event.region), (fields.account, event.account),
            ] {
                try demand(bytes(of: place, fields, stored) == bytes(of: slice, batch), "what is stored has another id or place")
            }
            try demand(!event.eventId.isEmpty, "each event has an id")

            // In a list an object is an event whatever its first key is.
            guard stored.count <= EventParser.maximumEventBytes,
                ReferenceJSON.read(stored, maximumDepth: EventParser.maximumDepth) != nil
            else { return }
            let again = EventParser().parse(
                [UInt8(ascii: "[")] + stored + [UInt8(ascii: "]")], format: .actiontrail, context: context)
            guard again.rejected.isEmpty, again.events.count == 1, let same = again.events.first else {
                throw Broken("what is stored is not taken again: \(again.rejected.map(\.message))")
            }
            try demand(Array(again.bytes(of: same)) == stored, "what is stored is stored as something else the next time")
            try demand(same.receivedDigest == event.digest, "what is stored is received as something else the next time")
            try demand(values(of: same, in: again) == given, "what is stored has other terms the next time")
        }

        /// A body that is one object gives one event or one rejection, and the event says what was received.
        private static func checkWhole(_ body: [UInt8], _ batch: ParsedBatch, _ format: EventFormat) throws {
            guard let tree = ReferenceJSON.read(body, maximumDepth: EventParser.maximumDepth), case .object(let received) = tree,
                tree["Records"] == nil, tree["items"] == nil
            else { return }
            try demand(batch.events.count + batch.rejected.count == 1, "one object is one record")
            let structural: [RejectionCode] = [.invalidJSON, .nestingTooDeep, .notAnObject, .tooManyBadRecords]
            try demand(batch.rejected.allSatisfy { !structural.contains($0.rejection) }, "an object is taken for one")
            guard let event = batch.events.first else { return }
            let stored = ReferenceJSON.read(Array(batch.bytes(of: event)), maximumDepth: storedDepth)
            if let source = stored?["additionalEventData"]?["sourceRecord"], source == tree { return }
            try demand(format == .auto || format == .actiontrail, "the record of another schema is kept whole")
            guard case .object(let members)? = stored else { throw Broken("what is stored is not a JSON object") }
            let filled = ["eventId", "EventId", "eventID", "EventID", "eventTime", "EventTime"].map { Array($0.utf8) }
            try demand(members.count >= received.count, "a member was lost")
            for (member, other) in zip(members, received) {
                let isReplaced = filled.contains(other.key) && (other.value == .null || other.value == .string([]))
                try demand(
                    member.key == other.key && (member.value == other.value || isReplaced),
                    "the member \(String(decoding: other.key, as: UTF8.self)) was changed")
            }
            let added = ["eventId", "eventTime", "recipientAccountId", "acsRegion"].map { Array($0.utf8) }
            try demand(
                members.dropFirst(received.count).allSatisfy { added.contains($0.key) }, "something was added that is not lacking"
            )
        }

        // MARK: Terms

        private struct Value: Equatable {
            var attribute: LookupAttribute
            var bytes: [UInt8]
        }

        private static func checkValue(_ value: Value) throws {
            try demand(
                !value.bytes.isEmpty && String(validating: value.bytes, as: UTF8.self) != nil,
                "a term is a text that is not empty")
        }

        private static func values(of event: ParsedEvent, in batch: ParsedBatch) -> [Value] {
            batch.terms(of: event).map { Value(attribute: $0.attribute, bytes: bytes(of: $0.value, batch)) }
        }

        private static func values(of fields: EventFields, in stored: [UInt8]) -> [Value] {
            fields.terms.map { Value(attribute: $0.attribute, bytes: bytes(of: $0.value, fields, stored)) }
        }

        private static func bytes(of slice: ByteSlice, _ batch: ParsedBatch) -> [UInt8] {
            batch.withBytes(of: slice) { bytes in [UInt8](bytes) }
        }

        private static func bytes(of slice: ByteSlice, _ fields: EventFields, _ stored: [UInt8]) -> [UInt8] {
            stored.withUnsafeBytes { whole in
                fields.withBytes(of: slice, in: whole) { bytes in [UInt8](bytes) }
            }
        }

        // MARK: Texts

        private static func checkJSON(_ text: [UInt8]) throws -> String {
            let expected = ReferenceJSON.read(text, maximumDepth: EventParser.maximumDepth)
            let minified: [UInt8]
            do { minified = try JSONTape.minify(text) } catch {
                try demand(expected == nil, "JSON is refused: \(error)")
                try demand((0...text.count).contains(error.offset), "a refusal names a place in the text")
                return "\(error.reason)"
            }
            try demand(expected != nil, "what is not JSON is taken")
            try demand(
                ReferenceJSON.read(minified, maximumDepth: EventParser.maximumDepth) == expected,
                "leaving out white space changes it")
            try demand(try JSONTape.minify(minified) == minified, "leaving out white space twice changes it")
            return "taken \(minified.count == text.count) \(min(minified.count, 16))"
        }

        private static func checkTime(_ text: [UInt8]) throws -> String {
            guard let time = text.withUnsafeBytes({ EventTime.milliseconds($0) }) else { return "refused" }
            let written = EventTime.text(time)
            try demand(written.utf8.count == 20 && EventTime.compactText(time).utf8.count == 14, "a time has one length")
            let second = time - ((time % 1000) + 1000) % 1000
            // Years are held to four digits.
            if (-62_167_219_200_000...253_402_300_799_999).contains(time) {
                try demand(EventTime.milliseconds(written) == second, "a time that is written is another one")
            }
            return "taken \(text.count) \(time < 0)"
        }
    }
}
