// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A question to the log service.
struct LogQuestion {
    enum Kind {
        /// The newest 50 logs, or the rows of SQL.
        case rows
        case histogram
    }

    var text: String
    /// Seconds since 1970.
    var times: Range<Int64>
    var kind = Kind.rows
}

/// One line of the table: a question with several values.
struct LogQuestions {
    /// One of so many parts of all times is what a day is of a quarter.
    private static let parts: Int64 = 90

    var name: String
    var all: [LogQuestion]

    /// - Parameter times: of all logs.
    static func all(about tally: SampleTally, times: Range<Int64>) -> [LogQuestions] {
        func searches(_ name: String, _ texts: [String]) -> LogQuestions {
            LogQuestions(name: name, all: texts.map { LogQuestion(text: $0, times: times) })
        }
        func analysis(_ name: String, _ sql: String) -> LogQuestions {
            // Begins a second earlier each time, which finds the same and is not the same question.
            let wider = (0..<10).map { times.lowerBound - $0..<times.upperBound }
            return LogQuestions(name: name, all: wider.map { LogQuestion(text: "* | \(sql)", times: $0) })
        }
        let frequent = SampleTally.mostFrequent(tally.names, 5)
        let prefixes = SampleTally.mostFrequent(tally.sources, 200).map { $0.prefix { $0.isLetter }.prefix(3) }
            .filter { $0.count == 3 }
        let length = max(1, Int64(times.count) / parts)
        let someParts = SampleTally.spread(Array(0..<parts), 10).map { part in
            times.lowerBound + part * length..<times.lowerBound + (part + 1) * length
        }
        let lists = [
            searches(
                "search: rare access key",
                SampleTally.rarest(tally.accessKeys, 40).map { "event.userIdentity.accessKeyId: \"\($0)\"" }),
            searches("search: event id", tally.ids.prefix(40).map { "event.eventId: \"\($0)\"" }),
            searches("search: rare word", SampleTally.spread(tally.rareWords, 40).map { "\"\($0)\"" }),
            searches("search: phrase", SampleTally.spread(phrases(tally), 20).map { "#\"\($0)\"" }),
            searches("search: frequent event name", (frequent + frequent).map { "event.eventName: \"\($0)\"" }),
            searches(
                "search: wildcard of a source",
                Set(["act"] + prefixes.prefix(30)).sorted().prefix(10).map { "event.eventSource: \($0)*" }),
            LogQuestions(
                name: "histogram: errors",
                all: (0..<10).map {
                    LogQuestion(
                        text: "event.errorCode: *", times: times.lowerBound - $0..<times.upperBound, kind: .histogram)
                }),
            analysis(
                "SQL: count by user",
                "select \"event.userIdentity.userName\" as name, count(1) as c group by name order by c desc"),
            analysis(
                "SQL: top 10 addresses and hours",
                "select date_trunc('hour', __time__) as hour, \"event.sourceIpAddress\" as address, count(1) as c "
                    + "group by hour, address order by c desc limit 10"),
            LogQuestions(
                name: "SQL: errors by name, a 90th of the time",
                all: someParts.map {
                    LogQuestion(
                        text:
                            "event.errorCode: * | select \"event.eventName\" as name, count(1) as c group by name order by c desc",
                        times: $0)
                }),
            analysis("SQL: count of different actors", "select count(distinct \"event.userIdentity.principalId\") as c"),
            analysis("SQL: count of everything", "select count(1) as c"),
        ]
        return lists.filter { !$0.all.isEmpty }
    }

    /// The last words of long error messages, as they stand.
    private static func phrases(_ tally: SampleTally) -> [String] {
        tally.errorMessages.keys.sorted().compactMap { message in
            let words = message.split(separator: " ").suffix(5)
            let phrase = words.joined(separator: " ")
            return words.count == 5 && !phrase.contains(where: { "\"\\\n".contains($0) }) ? phrase : nil
        }
    }
}
