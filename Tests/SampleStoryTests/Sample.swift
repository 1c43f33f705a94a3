// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleStory

/// A sample in memory, as bytes, lines and decoded events.
struct Sample {
    let story: SampleStory
    let bytes: [UInt8]

    init(seed: UInt64 = 1, eventCount: Int = 2000, end: Int64 = 1_790_000_000, region: String = "cn-hangzhou") {
        story = SampleStory(
            seed: seed, eventCount: eventCount, end: end, accountId: "1000000000000001", region: region)
        var bytes: [UInt8] = []
        story.writeLines { bytes.append(contentsOf: $0) }
        self.bytes = bytes
    }

    func events() throws -> [Event] {
        try bytes.split(separator: UInt8(ascii: "\n")).map { line in
            guard let fields = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] else {
                throw NotAnObject()
            }
            return Event(fields: fields)
        }
    }

    struct NotAnObject: Error {}
}

struct Event {
    let fields: [String: Any]

    func text(_ name: String) -> String { fields[name] as? String ?? "" }
    var name: String { text("eventName") }
    var errorCode: String { text("errorCode") }
    var time: Int64 { Int64((try? Date(text("eventTime"), strategy: .iso8601))?.timeIntervalSince1970 ?? -1) }
    var identity: [String: Any] { fields["userIdentity"] as? [String: Any] ?? [:] }
    var user: String { identity["userName"] as? String ?? "" }
    var accessKeyId: String? { identity["accessKeyId"] as? String }
    var parameters: [String: Any] { fields["requestParameters"] as? [String: Any] ?? [:] }
    func parameter(_ name: String) -> String { parameters[name] as? String ?? "" }
}

/// FNV-1a, 64 bits: enough to notice a changed byte, with nothing to import.
func checksum(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
