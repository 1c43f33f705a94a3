// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogEngine
import Testing

/// Records through a frame and back: whatever they say twice, byte for byte.
@Suite struct `A folded record` {
    private static func roundTrip(_ bodies: [[UInt8]]) throws -> [[UInt8]] {
        var payload = FramePayload(account: "a")
        for body in bodies { body.withUnsafeBytes { payload.append($0, flags: [], receivedDigest: nil) } }
        return try payload.prepared(dictionary: nil).decoded().map(\.bytes)
    }

    private static func size(_ body: String) -> Int {
        var payload = FramePayload(account: "a")
        let bytes = Array(body.utf8)
        bytes.withUnsafeBytes { payload.append($0, flags: [], receivedDigest: nil) }
        return payload.rawCount
    }

    private static let id = "F90B88B7-7C24-566C-DB7F-22D28A3B688B"

    private static func event(parameters: String, text: String? = nil, id: String = id, request: String = id) -> String {
        let escaped =
            text
            ?? parameters.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
        return #"{"acsRegion":"cn-hangzhou","apiVersion":"2014-05-26","eventId":"\#(id)","eventName":"RunInstances","#
            + #""eventSource":"ecs.aliyuncs.com","requestId":"\#(request)","requestParameterJson":"\#(escaped)","#
            + #""requestParameters":\#(parameters),"serviceName":"Ecs"}"#
    }

    @Test func `is smaller by what it says twice`() throws {
        let parameters = #"{"RegionId":"cn-hangzhou","RequestId":"\#(Self.id)","Name":"a \"quoted\" \\ name","N":{"x":[1,"}"]}}"#
        let event = Self.event(parameters: parameters)
        // Twice the id, and the text with its escapes.
        #expect(Self.size(event) < event.utf8.count - parameters.utf8.count - 2 * 35)
        #expect(try Self.roundTrip([Array(event.utf8)]) == [Array(event.utf8)])
    }

    @Test func `is left as it is if it says nothing twice`() throws {
        let other = Self.event(parameters: #"{"a":"b"}"#, text: #"{\"a\":\"c\"}"#, request: UUID().uuidString)
        for event in [
            other, String(repeating: "x", count: 300), Self.event(parameters: "{", text: "{", request: UUID().uuidString),
            // Bytes that stand in for what was taken out.
            Self.event(parameters: "{\"a\":\"\u{1}\"}"), Self.event(parameters: "{\"a\":\"\u{2}\"}"),
        ] {
            #expect(Self.size(event) >= event.utf8.count, "\(event)")
            #expect(try Self.roundTrip([Array(event.utf8)]) == [Array(event.utf8)])
        }
    }

    /// Pieces that mislead: keys within texts, brackets within texts, ids within ids, members in any order, cut anywhere.
    @Test(arguments: 0..<40) func `is the same again whatever it holds`(seed: UInt64) throws {
        var random = Seeded(seed)
        let pieces = [
            #""eventId":""#, #""requestParameters":{"#, #""requestParameterJson":""#, "\"", "\\", "\\\"", "{", "}", "[", "]", ",",
            Self.id, String(Self.id.prefix(9)), #"\"eventId\":\""#, #"\"requestParameters\":{"#, "é", " ", "\u{1}", "\u{2}",
            "a\":1",
            Self.event(parameters: #"{"a":"b"}"#), Self.event(parameters: #"{"a":{"b":"\#(Self.id)"}}"#), "{\\\"a\\\":\\\"b\\\"}",
        ]
        var bodies: [[UInt8]] = []
        for _ in 0..<300 {
            var text = ""
            for _ in 0..<Int.random(in: 1..<30, using: &random) { text += pieces.randomElement(using: &random)! }
            var bytes = Array(text.utf8)
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            if !bytes.isEmpty, Bool.random(using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bodies.append(bytes)
        }
        #expect(try Self.roundTrip(bodies) == bodies)
    }
}
