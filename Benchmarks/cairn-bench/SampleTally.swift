// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What stands in some events of a load, and how often: questions are made of it.
struct SampleTally {
    private(set) var accessKeys: [String: Int] = [:]
    private(set) var names: [String: Int] = [:]
    private(set) var services: [String: Int] = [:]
    private(set) var sources: [String: Int] = [:]
    private(set) var users: [String: Int] = [:]
    private(set) var errorMessages: [String: Int] = [:]
    private(set) var ids: [String] = []
    private var words: [Substring: Int] = [:]

    init(_ samples: [[UInt8]]) throws {
        let delimiters = Set(", '\";=()[]{}?@&<>/:\\")
        for line in samples {
            for word in String(decoding: line, as: UTF8.self).split(whereSeparator: { delimiters.contains($0) })
            where word.utf8.count >= 8 && word.utf8.count != 36 { words[word, default: 0] += 1 }
            guard let event = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] else { continue }
            let identity = event["userIdentity"] as? [String: Any]
            if let name = event["eventName"] as? String { names[name, default: 0] += 1 }
            if let service = event["serviceName"] as? String { services[service, default: 0] += 1 }
            if let source = event["eventSource"] as? String { sources[source, default: 0] += 1 }
            if let user = identity?["userName"] as? String { users[user, default: 0] += 1 }
            if let key = identity?["accessKeyId"] as? String { accessKeys[key, default: 0] += 1 }
            if let message = event["errorMessage"] as? String { errorMessages[message, default: 0] += 1 }
            if ids.count < 200, let id = event["eventId"] as? String { ids.append(id) }
        }
    }

    /// Words that stand in one of the samples only, sorted.
    var rareWords: [String] { words.filter { $0.value == 1 }.map { String($0.key) }.sorted() }

    static func mostFrequent(_ counts: [String: Int], _ count: Int) -> [String] {
        counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(count).map(\.key)
    }

    static func rarest(_ counts: [String: Int], _ count: Int) -> [String] {
        counts.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.prefix(count).map(\.key)
    }

    /// Some of many, evenly spread.
    static func spread<Value>(_ values: [Value], _ count: Int) -> [Value] {
        stride(from: 0, to: values.count, by: max(1, values.count / count)).prefix(count).map { values[$0] }
    }
}
