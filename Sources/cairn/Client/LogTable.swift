// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Logs and rows of SQL as lines of a table or of CSV.
enum LogTable {
    /// The main columns of events; of other logs their fields, without those that none has a value for.
    static func lines(_ rows: [LogRow], columns: [String], screen: Int?) -> [String] {
        if columns.isEmpty {
            let events = rows.map(\.event)
            if events.contains(where: { $0 != nil }) {
                let cells = zip(rows, events).map { row, event in
                    event?.mainColumns
                        ?? [LogRow.timeText(row[LogRow.timeKey] ?? "")]
                        + Array(repeating: "-", count: EventSummary.mainHeader.count - 1)
                }
                return TextTable.lines(EventSummary.mainHeader, cells, screen: screen, whole: 0)
            }
        }
        var keys = columns.isEmpty ? allKeys(rows) : columns
        if columns.isEmpty {
            keys.removeAll { key in key == LogRow.nanosecondsKey || rows.allSatisfy { ($0[key] ?? "").isEmpty } }
        }
        let cells = rows.map { row in
            keys.map { key in
                let value = row[key] ?? ""
                return columns.isEmpty && key == LogRow.timeKey ? LogRow.timeText(value) : value
            }
        }
        guard columns.isEmpty else { return TextTable.lines(keys, cells, screen: screen) }
        let time = keys.firstIndex(of: LogRow.timeKey)
        return TextTable.lines(keys.map { $0 == LogRow.timeKey ? "TIME" : $0 }, cells, screen: screen, whole: time)
    }

    /// CSV by RFC 4180, without the line ends.
    static func csv(_ rows: [LogRow], columns: [String]) -> [String] {
        let keys = columns.isEmpty ? allKeys(rows) : columns
        return [keys.map(csvField).joined(separator: ",")]
            + rows.map { row in keys.map { csvField(row[$0] ?? "") }.joined(separator: ",") }
    }

    private static func allKeys(_ rows: [LogRow]) -> [String] {
        LogRow.sorted(Set(rows.flatMap { $0.fields.map(\.key) }))
    }

    private static func csvField(_ text: String) -> String {
        guard text.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
