// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLFunctionLibrary {
    /// A timestamp is milliseconds since 1970 UTC, a date days.
    static let timeFunctions: [SQLFunction] =
        [
            SQLFunction("from_unixtime", [.number], .timestamp) { arguments, _ in .integer(try instant(arguments[0])) },
            SQLFunction("from_unixtime", [.number, .varchar], .timestamp) { arguments, run in
                try shown(try instant(arguments[0]), in: arguments[1].string, run)
            },
            SQLFunction("$at_time_zone", [.time, .varchar], .timestamp) { arguments, run in
                try shown(arguments[0].int, in: arguments[1].string, run)
            },
            SQLFunction("to_unixtime", [.time], .double) { arguments, _ in .double(Double(arguments[0].int) / 1000) },
            SQLFunction("now", [], .timestamp) { _, run in .integer(run.options.now) },
            SQLFunction("current_date", [], .date) { _, run in .integer(run.timeZone.local(run.options.now).days) },
            SQLFunction("current_timezone", [], .varchar) { _, run in .text(zoneText(run.timeZone)) },
            SQLFunction("date", [.time], .date) { arguments, run in .integer(run.timeZone.local(arguments[0].int).days) },
            SQLFunction("date_format", [.time, .varchar], .varchar) { arguments, run in
                let text = DateFormat.text(run.timeZone.local(arguments[0].int), arguments[1].string)
                try run.checkText(bytes: text.utf8.count)
                return .text(text)
            },
            SQLFunction("date_parse", [.varchar, .varchar], .timestamp) { arguments, run in
                guard let time = DateFormat.parse(arguments[0].string, arguments[1].string) else {
                    throw SQLFailure.data("Invalid format: \"\(arguments[0].string.prefix(100))\"")
                }
                return .integer(run.timeZone.instant(time))
            },
            SQLFunction("date_trunc", [.varchar, .date], .date) { arguments, _ in
                let unit = try TimeUnit(name: arguments[0].string)
                return .integer(unit.start(of: try midnight(arguments[1])).days)
            },
            SQLFunction("date_trunc", [.varchar, .time], .timestamp) { arguments, run in
                let unit = try TimeUnit(name: arguments[0].string)
                return .integer(run.timeZone.instant(unit.start(of: run.timeZone.local(arguments[1].int))))
            },
            SQLFunction("date_add", [.varchar, .bigint, .date], .date) { arguments, _ in
                let unit = try TimeUnit(name: arguments[0].string)
                return .integer(try unit.add(arguments[1].int, to: try midnight(arguments[2])).days)
            },
            SQLFunction("date_add", [.varchar, .bigint, .time], .timestamp) { arguments, run in
                let unit = try TimeUnit(name: arguments[0].string)
                return .integer(
                    run.timeZone.instant(try unit.add(arguments[1].int, to: run.timeZone.local(arguments[2].int))))
            },
            SQLFunction("date_diff", [.varchar, .time, .time], .bigint) { arguments, run in
                let unit = try TimeUnit(name: arguments[0].string)
                return .integer(
                    unit.difference(from: run.timeZone.local(arguments[1].int), to: run.timeZone.local(arguments[2].int)))
            },
            SQLFunction("$moved", [.date, .type(.intervalDayToSecond)], .date) { arguments, _ in
                .integer(try TimeUnit.millisecond.add(arguments[1].int, to: try midnight(arguments[0])).days)
            },
            SQLFunction("$moved", [.date, .type(.intervalYearToMonth)], .date) { arguments, _ in
                .integer(try TimeUnit.month.add(arguments[1].int, to: try midnight(arguments[0])).days)
            },
            SQLFunction("$moved", [.timestamp, .type(.intervalDayToSecond)], .timestamp) { arguments, _ in
                .integer(
                    try TimeUnit.millisecond.add(arguments[1].int, to: CivilTime(milliseconds: arguments[0].int)).milliseconds)
            },
            SQLFunction("$moved", [.timestamp, .type(.intervalYearToMonth)], .timestamp) { arguments, run in
                .integer(
                    run.timeZone.instant(try TimeUnit.month.add(arguments[1].int, to: run.timeZone.local(arguments[0].int))))
            },
            SQLFunction("last_day_of_month", [.time], .date) { arguments, run in
                let (year, month, _) = run.timeZone.local(arguments[0].int).date
                return .integer(CivilTime.days(year: year, month: month, day: CivilTime.days(inMonth: month, of: year)))
            },
            SQLFunction("to_iso8601", [.date], .varchar) { arguments, _ in .text(try midnight(arguments[0]).dateText) },
            SQLFunction("to_iso8601", [.time], .varchar) { arguments, run in
                let text = run.timeZone.local(arguments[0].int).timestampText
                return .text(text.replacing(" ", with: "T") + zoneText(run.timeZone))
            },
            SQLFunction("from_iso8601_timestamp", [.varchar], .timestamp) { arguments, run in
                guard let (time, zone) = CivilTime.parse(arguments[0].string) else {
                    throw SQLFailure.data("Invalid format: \"\(arguments[0].string.prefix(100))\"")
                }
                return .integer((zone.map { SQLTimeZone(offset: $0) } ?? run.timeZone).instant(time))
            },
            SQLFunction("from_iso8601_date", [.varchar], .date) { arguments, _ in
                guard let (time, _) = CivilTime.parse(arguments[0].string) else {
                    throw SQLFailure.data("Invalid format: \"\(arguments[0].string.prefix(100))\"")
                }
                return .integer(time.days)
            },
            SQLFunction("$series_time", [.timestamp, .bigint], .bigint) { arguments, run in
                let local = CivilTime.divide(run.timeZone.local(arguments[0].int).milliseconds, by: 1000)
                let step = max(1, arguments[1].int)
                return .integer(CivilTime.divide(local, by: step) * step - run.timeZone.offset)
            },
            SQLFunction("time_series", [.bigint, .varchar], .varchar) { arguments, run in
                .text(DateFormat.text(run.timeZone.local(try instant(arguments[0])), arguments[1].string))
            },
        ]
        + fields.map { name, field in
            SQLFunction(name, [.time], .bigint) { arguments, run in .integer(field(run.timeZone.local(arguments[0].int))) }
        }

    private static let fields: [(String, @Sendable (CivilTime) -> Int64)] = [
        ("year", { $0.date.year }),
        ("quarter", { ($0.date.month - 1) / 3 + 1 }),
        ("month", { $0.date.month }),
        ("week", { $0.week.number }),
        ("year_of_week", { $0.week.year }),
        ("day", { $0.date.day }),
        ("day_of_week", { $0.weekday }),
        ("day_of_year", { $0.dayOfYear }),
        ("hour", { $0.hour }),
        ("minute", { $0.minute }),
        ("second", { $0.second }),
        ("millisecond", { $0.millisecond }),
    ]

    private static func instant(_ seconds: SQLValue) throws -> Int64 {
        let from: SQLType = if case .double = seconds { .double } else { .bigint }
        return try SQLCast(from: from, to: .timestamp, length: nil, timeZone: .standard).convert(seconds).int
    }

    private static func midnight(_ date: SQLValue) throws -> CivilTime {
        let (milliseconds, hasOverflowed) = date.int.multipliedReportingOverflow(by: CivilTime.day)
        guard !hasOverflowed, CivilTime.range.contains(milliseconds) else { throw SQLFailure.data("the time is out of range") }
        return CivilTime(milliseconds: milliseconds)
    }

    /// The time whose text in the query's zone is that of `instant` in another; times have no zone of their own.
    private static func shown(_ instant: Int64, in zone: String, _ run: SQLRun) throws -> SQLValue {
        guard let other = SQLTimeZone(name: zone) else { throw SQLFailure.data("'\(zone.prefix(100))' is not a known time zone") }
        return .integer(run.timeZone.instant(other.local(instant)))
    }

    private static func zoneText(_ zone: SQLTimeZone) -> String {
        let minutes = abs(zone.offset) / 60
        return (zone.offset < 0 ? "-" : "+") + CivilTime.padded(minutes / 60, 2) + ":" + CivilTime.padded(minutes % 60, 2)
    }
}
