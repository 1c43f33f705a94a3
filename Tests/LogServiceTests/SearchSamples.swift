// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import TestSupport

extension SeededGenerator {
    /// Neighbouring seeds give streams of their own, none the other's moved by one.
    init(_ seed: UInt64) {
        var mixer = SeededGenerator(state: seed)
        self.init(state: mixer.next() ^ 0x1234_5678_9ABC_DEF1)
    }
}

/// A log with its own bytes, as a test writes it down.
struct SearchLog {
    var topic = ""
    var source = ""
    var tags: [Log.Field] = []
    var contents: [Log.Field] = []

    init(_ contents: [(String, String)] = [], topic: String = "", source: String = "", tags: [(String, String)] = []) {
        self.topic = topic
        self.source = source
        self.tags = tags.map { Log.Field($0.0, $0.1) }
        self.contents = contents.map { Log.Field($0.0, $0.1) }
    }

    /// An audit event.
    init(event: String) {
        self.init([("event", event)], topic: "actiontrail_audit_event", source: "192.0.2.10", tags: [("host", "node-1")])
    }

    func withView<Result>(_ body: (LogView) throws -> Result) rethrows -> Result {
        var memory: [UnsafeMutableRawBufferPointer] = []
        defer { for part in memory { part.deallocate() } }
        func bytes(_ text: String) -> UnsafeRawBufferPointer {
            let part = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, text.utf8.count), alignment: 1)
            part.copyBytes(from: text.utf8)
            memory.append(part)
            return UnsafeRawBufferPointer(rebasing: part[..<text.utf8.count])
        }
        var view = LogView()
        view.topic = bytes(topic)
        view.source = bytes(source)
        view.tags = tags.map { LogView.Field(key: bytes($0.key), value: bytes($0.value)) }
        view.contents = contents.map { LogView.Field(key: bytes($0.key), value: bytes($0.value)) }
        return try body(view)
    }

    func isFound(by plan: SearchPlan) -> Bool {
        var matcher = SearchMatcher(plan)
        return withView { matcher.matches($0) }
    }
}

enum SearchIndexes {
    /// As an audit trail's logstore has it, with some fields more.
    static let trail = IndexConfiguration(
        line: .init(),
        fields: [
            "event": .json(
                .init(
                    text: .init(), indexesAll: true, maxDepth: nil, isColumn: true,
                    leaves: ["usedTime": .init(kind: .long, isColumn: true)])),
            "request_method": text(), "region": text(), "request_uri": text(), "http_user_agent": text(), "note": text(),
            "status": .value(.init(kind: .long, isColumn: true)),
            "request_time": .value(.init(kind: .double, isColumn: true)),
            "exact": .value(.init(kind: .text(.init(delimiters: [], isCaseSensitive: true)), isColumn: true)),
            "chinese": .value(.init(kind: .text(.init(splitsChinese: true)), isColumn: true)),
            "file info": text(), "source": text(),
            "info": .json(
                .init(
                    text: .init(), indexesAll: false, maxDepth: 2, isColumn: true,
                    leaves: [
                        "usedTime": .init(kind: .long, isColumn: true), "success": .init(kind: .text(.init()), isColumn: true),
                        "param.projectName": .init(kind: .text(.init()), isColumn: true),
                    ])),
        ])

    private static func text() -> IndexConfiguration.Field { .value(.init(kind: .text(.init()), isColumn: true)) }
}

extension SearchExpression {
    /// The same with every column 0, for comparing what was read.
    var withoutColumns: SearchExpression {
        switch self {
        case .all: .all
        case .condition(let condition): .condition(.init(key: condition.key, test: condition.test, column: 0))
        case .and(let parts): .and(parts.map(\.withoutColumns))
        case .or(let parts): .or(parts.map(\.withoutColumns))
        case .not(let part): .not(part.withoutColumns)
        }
    }

    static func read(_ search: String) throws -> SearchExpression { try SearchExpression(search).withoutColumns }

    static func word(_ key: String?, _ text: String) -> SearchExpression { value(key, text, .word) }
    static func quoted(_ key: String?, _ text: String) -> SearchExpression { value(key, text, .quoted) }
    static func phrase(_ key: String?, _ text: String) -> SearchExpression { value(key, text, .phrase) }
    static func exists(_ key: String) -> SearchExpression { .condition(.init(key: key, test: .exists, column: 0)) }

    private static func value(_ key: String?, _ text: String, _ form: SearchValue.Form) -> SearchExpression {
        .condition(.init(key: key, test: .value(.init(text: text, form: form)), column: 0))
    }
}
