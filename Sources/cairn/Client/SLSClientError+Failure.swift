// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService

extension SLSClientError {
    /// Asking again later may help: nobody answered, or the service is busy.
    var isPassing: Bool {
        status == 0 && code == Self.noAnswer || status >= 500 || status == 429 || code.hasSuffix("QuotaExceed")
    }

    /// The end of a command that this error ends.
    ///
    /// - Parameter query: that was sent; the place where it goes wrong is shown in it.
    func failure(endpoint: String, query: String? = nil) -> Failure {
        switch status {
        case 0 where code == Self.badEndpoint: return .usage("`\(endpoint)` is no endpoint of a log service: \(message)")
        case 0: return .unreachable("cannot reach \(endpoint): \(message)")
        case 401, 403: return .unreachable("not allowed: \(code): \(message)")
        case 429, 500...: return .unreachable("\(code): \(message)")
        case 400:
            guard let fault = QueryFault(message) else { return .usage("\(code): \(message)") }
            let place = query.flatMap { fault.place(in: $0, screen: Terminal.screenWidth ?? 80) }
            return .usage(fault.reason + (place.map { "\n" + $0 } ?? ""))
        default: return .no("\(code): \(message)")
        }
    }
}

/// Where and why a query was refused, from the service's words: `ErrorType:T.ErrorPosition,line:1,column:9.ErrorMessage:…`
/// (sls.md section 5).
struct QueryFault {
    var reason: String
    /// From 1; columns count Unicode scalars.
    var line: Int
    var column: Int

    init?(_ message: String) {
        let pattern = #/(?s)ErrorType:(.*?)\.ErrorPosition,line:(\d{1,6}),column:(\d{1,6})\.ErrorMessage:(.*)/#
        guard let found = try? pattern.firstMatch(in: message)?.output, let line = Int(found.2), let column = Int(found.3)
        else { return nil }
        reason = "\(found.4) (\(found.1))"
        self.line = line
        self.column = column
    }

    /// The line of the query with a caret below the place; nil if the query has no such place.
    func place(in query: String, screen: Int) -> String? {
        let lines = query.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.indices.contains(line - 1) else { return nil }
        let scalars = lines[line - 1].unicodeScalars
        // One past the end is where something is missing.
        guard (1...scalars.count + 1).contains(column) else { return nil }
        var before = TextTable.plain(String(String.UnicodeScalarView(scalars.prefix(column - 1))))
        var after = TextTable.plain(String(String.UnicodeScalarView(scalars.dropFirst(column - 1))))
        let room = max(20, screen - 4)
        if TextTable.width(of: before) > room * 2 / 3 {
            while TextTable.width(of: before) > room * 2 / 3 - 1 { before.removeFirst() }
            before = "…" + before
        }
        after = TextTable.cut(after, to: max(1, room - TextTable.width(of: before)))
        return "  \(before)\(after)\n  \(String(repeating: " ", count: TextTable.width(of: before)))^"
    }
}
