// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService

/// What GetLogs answers, in its two forms; source: sls.md sections 7.4 and 7.5.
///
/// Answers may have very many rows, so they are written as bytes at once.
struct SLSQueryAnswer {
    private let answer: LogAnswer
    private let elapsed: Int64

    init(_ answer: LogAnswer, elapsed: Duration) {
        self.answer = answer
        self.elapsed = elapsed.components.seconds * 1000 + elapsed.components.attoseconds / 1_000_000_000_000_000
    }

    static func progress(_ isComplete: Bool) -> String { isComplete ? "Complete" : "Incomplete" }

    /// `{"meta":{…},"data":[…]}`
    var object: [UInt8] {
        var bytes = Array("{\"meta\":".utf8)
        bytes += meta.finished
        bytes += ",\"data\":".utf8
        appendRows(to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// The rows, with everything else in headers.
    var array: WireAnswer {
        var bytes: [UInt8] = []
        appendRows(to: &bytes)
        return SLSHandler.json(
            bytes,
            headers: [
                ("x-log-progress", Self.progress(answer.isComplete)), ("x-log-count", String(answer.rows.count)),
                ("x-log-processed-rows", String(answer.processedRows)), ("x-log-elapsed-millisecond", String(elapsed)),
                ("x-log-has-sql", answer.sqlPart == nil ? "false" : "true"),
                ("x-log-where-query", Self.headerText(answer.searchPart)),
                ("x-log-agg-query", Self.headerText(answer.sqlPart ?? "")), ("x-log-cpu-sec", "0"), ("x-log-cpu-cores", "0"),
                ("x-log-query-info", queryInfo),
            ])
    }

    private func appendRows(to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "["))
        for (index, row) in answer.rows.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            Self.append(row, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    static func row(_ fields: [Log.Field]) -> [UInt8] {
        var bytes: [UInt8] = []
        append(fields, to: &bytes)
        return bytes
    }

    private static func append(_ fields: [Log.Field], to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONFields.append(text: field.key, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            JSONFields.append(text: field.value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private var mode: Int { answer.isPhraseSearch ? 1 : 0 }

    private var meta: JSONFields {
        var meta = JSONFields()
        meta.add(Self.progress(answer.isComplete), "progress")
        meta.add(answer.rows.count, "count")
        meta.add(answer.processedRows, "processedRows")
        meta.add(answer.processedBytes, "processedBytes")
        meta.add(elapsed, "elapsedMillisecond")
        meta.add(answer.sqlPart != nil, "hasSQL")
        meta.add(answer.searchPart, "whereQuery")
        meta.add(answer.sqlPart ?? "", "aggQuery")
        meta.add(texts: answer.keys, "keys")
        if answer.sqlPart != nil { meta.add(texts: answer.columnTypes, "columnTypes") }
        if answer.hasImplicitLimit { meta.add(100, "limited") }
        meta.add(
            answer.terms.map { term in
                var fields = JSONFields()
                fields.add(term.key, "key")
                fields.add(term.term, "term")
                return fields
            }, "terms")
        meta.add(mode, "mode")
        if answer.isPhraseSearch {
            var info = JSONFields()
            info.add(true, "scanAll")
            info.add(0, "beginOffset")
            info.add(answer.rows.count, "endOffset")
            info.add(0, "endTime")
            meta.add(info, "phraseQueryInfo")
        }
        meta.add(true, "isAccurate")
        meta.add(raw: "0.0".utf8, "cpuSec")
        meta.add(0, "cpuCores")
        meta.add(false, "powerSql")
        meta.add("", "telementryType")
        return meta
    }

    // MARK: Headers

    /// Bytes of one header: some clients read no longer line than 64 KiB.
    private static let headerLimit = 16 << 10

    /// What belongs into the answer for clients that show it, as far as it fits into a header.
    private var queryInfo: String {
        func info(_ keys: [String], _ terms: [LogAnswer.Term]) -> String {
            var info = JSONFields()
            info.add(texts: keys, "keys")
            info.add(
                raw: JSONFields.array(terms.map { term in JSONFields.array([Self.text(term.term), Self.text(term.key)]) }),
                "terms")
            if answer.hasImplicitLimit { info.add("100", "limited") }
            info.add(mode, "mode")
            if answer.isPhraseSearch {
                var phrase = JSONFields()
                phrase.add("true", "scanAll")
                phrase.add("0", "beginOffset")
                phrase.add(String(answer.rows.count), "endOffset")
                info.add(phrase, "phraseQueryInfo")
            }
            return Self.ascii(String(decoding: info.finished, as: UTF8.self))
        }
        let whole = info(answer.keys, answer.terms)
        return whole.utf8.count <= Self.headerLimit ? whole : info([], [])
    }

    private static func text(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        JSONFields.append(text: text, to: &bytes)
        return bytes
    }

    /// A query on one line.
    private static func headerText(_ text: String) -> String {
        let line = String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
        return String(ascii(line).prefix(headerLimit))
    }

    /// With `\u` escapes for what is not ASCII, which breaks some clients in a header.
    private static func ascii(_ text: String) -> String {
        guard !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        var ascii = ""
        for unit in text.utf16 {
            if let scalar = Unicode.Scalar(unit), scalar.isASCII {
                ascii.unicodeScalars.append(scalar)
            } else {
                let digits = String(unit, radix: 16)
                ascii += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return ascii
    }
}
