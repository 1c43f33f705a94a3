// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Testing

@Suite struct `The format of a record` {
    @Test(
        arguments: [
            (#"{"eventName":"x"}"#, nil), (#"{"EventName":"x"}"#, nil),
            (#"{"specversion":"1.0","id":"1","source":"s","type":"t"}"#, "cloudevents"),
            (#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"get"}"#, "kubernetes"),
            (#"{"kind":"Event","auditID":"a"}"#, "kubernetes"), (#"{"kind":"Event","stage":"Panic"}"#, "kubernetes"),
            (#"{"kind":"Event","sourceIPs":[],"user":{},"verb":"get"}"#, "kubernetes"),
            (#"{"eventName":"x","eventSource":"s3.amazonaws.com"}"#, "cloudtrail"),
            (#"{"eventName":"x","eventID":"1","eventVersion":"1.08"}"#, "cloudtrail"),
            (#"{"eventName":"x","awsRegion":"us-east-1"}"#, "cloudtrail"),
        ] as [(String, String?)])
    func `is seen from its keys`(text: String, format: String?) throws {
        let batch = parse(text)
        #expect(batch.rejected.isEmpty)
        #expect(try batch.object().text("additionalEventData.sourceFormat") == format)
    }

    @Test(arguments: [
        (#"{"kind":"Event","apiVersion":"v1","involvedObject":{}}"#, EventFormat.auto, "UnrecognizedFormat"),
        (#"{"kind":"Event"}"#, .auto, "UnrecognizedFormat"), (#"{"a":1}"#, .actiontrail, "MissingEventName"),
        (#"{"a":1}"#, .cloudtrail, "NotCloudTrail"), (#"{"awsRegion":"x"}"#, .cloudtrail, "MissingEventName"),
        (#"{"eventSource":"s3.amazonaws.com"}"#, .auto, "MissingEventName"),
        (#"{"a":1}"#, .kubernetes, "NotKubernetesAudit"),
        (#"{"kind":"Pod","verb":"get"}"#, .kubernetes, "NotKubernetesAudit"),
        (#"{"a":1}"#, .cloudevents, "NotCloudEvent"), (#"{"specversion":"1.0"}"#, .auto, "MissingId"),
        (#"{"specversion":"1.0","id":"1"}"#, .auto, "MissingSource"),
        (#"{"specversion":"1.0","id":"1","source":"s","type":""}"#, .auto, "MissingType"),
        (#"{"id":"1","source":"s"}"#, .cloudevents, "MissingType"),
        (#"{"specversion":"1.0","id":"1","source":"s","type":"t","time":"x"}"#, .auto, "InvalidEventTime"),
        (#"{"awsRegion":"r","eventName":"x","eventTime":"x"}"#, .auto, "InvalidEventTime"),
        (#"{"kind":"Event","auditID":"a","timestamp":"x"}"#, .auto, "InvalidEventTime"),
        (#"{"awsRegion":"r","awsRegion":"r","eventName":"x"}"#, .auto, "DuplicateKey"),
        (#"{"awsRegion":"r","eventName":"x","userIdentity":{"type":"a","type":"b"}}"#, .auto, "DuplicateKey"),
        (#"{"kind":"Event","auditID":"a","verb":"get","verb":"get"}"#, .auto, "DuplicateKey"),
        (#"{"specversion":"1.0","id":"1","id":"2","source":"s","type":"t"}"#, .auto, "DuplicateKey"),
    ])
    func `that does not fit is refused with a code and a message`(text: String, format: EventFormat, code: String) {
        let batch = parse(text, as: format)
        #expect(batch.rejections == ["1 \(code)"])
        #expect(batch.rejected.first?.message.isEmpty == false)
    }

    @Test func `that is unknown names the formats that were tried`() {
        let message = parse(#"{"a":1}"#).rejected.first?.message ?? ""
        for format in EventFormat.allCases where format != .auto { #expect(message.contains(format.rawValue)) }
    }

    @Test(arguments: [EventFormat.cloudtrail, .kubernetes, .cloudevents])
    func `has its record kept whole and its id derived if it has none`(format: EventFormat) {
        let records: [EventFormat: String] = [
            .cloudtrail: #"{"eventName":"GetX","awsRegion":"r","b":[1.50,"\u0041"],"a":null}"#,
            .kubernetes: #"{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"get","b":[1.50,"\u0041"],"a":null}"#,
            .cloudevents: #"{"specversion":"1.0","id":"1","source":"s","type":"t","b":[1.50,"\u0041"],"a":null}"#,
        ]
        let record = records[format]!
        let batch = parse(record.replacing(",", with: " , "))
        #expect(
            batch.stored().hasSuffix(
                #","additionalEventData":{"sourceFormat":"\#(format.rawValue)","sourceRecord":\#(record)}}"#))
        #expect(batch.events[0].receivedDigest == EventDigest(hashing: Array(record.utf8)))
        #expect(batch.events[0].digest == EventDigest(hashing: Array(batch.bytes(of: batch.events[0]))))
        if format != .cloudevents { #expect(batch.text(of: batch.events[0].eventId).count == 36) }
        #expect(batch.events[0].timeMilliseconds == now)
    }

    @Test func `that nests as deep as allowed is stored and read again`() {
        let lists = String(repeating: "[", count: 127) + String(repeating: "]", count: 127)
        let batch = parse(#"{"specversion":"1.0","id":"1","source":"s","type":"t","data":\#(lists)}"#)
        #expect(batch.events.count == 1)
        #expect(EventFields.extract(Array(batch.bytes(of: batch.events[0]))) != nil)
    }
}
