// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Reads and writes the times of events, in milliseconds since 1970, UTC.
public enum EventTime {
    /// Reads `YYYY-MM-DD(T| )HH:MM:SS[.fraction][Z|±HH:MM|±HHMM]`, UTC if no offset is given, or whole seconds
    /// (10 digits) or milliseconds (13 digits) since 1970. Nil for anything else and for dates that do not exist.
    public static func milliseconds(_ text: UnsafeRawBufferPointer) -> Int64? {
        if text.count == 10 || text.count == 13, let number = digits(text, 0, text.count) {
            return text.count == 10 ? Int64(number) * 1000 : Int64(number)
        }
        guard text.count >= 19,
            let year = digits(text, 0, 4), text[4] == UInt8(ascii: "-"),
            let month = digits(text, 5, 2), text[7] == UInt8(ascii: "-"),
            let day = digits(text, 8, 2), isDateTimeSeparator(text[10]),
            let hour = digits(text, 11, 2), text[13] == UInt8(ascii: ":"),
            let minute = digits(text, 14, 2), text[16] == UInt8(ascii: ":"),
            let second = digits(text, 17, 2)
        else { return nil }
        // Second 60 is a leap second; it counts as the second after.
        guard 1...12 ~= month, day >= 1, day <= dayCount(ofMonth: month, year: year),
            hour < 24, minute < 60, second < 60 || (second == 60 && minute == 59)
        else { return nil }

        var at = 19
        var milliseconds = 0
        if at < text.count, text[at] == UInt8(ascii: ".") {
            at += 1
            let first = at
            var scale = 100
            while at < text.count, let digit = digits(text, at, 1) {
                milliseconds += digit * scale
                scale /= 10
                at += 1
            }
            guard at > first else { return nil }
        }
        guard let offsetMinutes = offsetMinutes(text, at) else { return nil }
        let days = Int64(daysSince1970(year: year, month: month, day: day))
        let seconds = days * 86_400 + Int64(hour * 3600 + (minute - offsetMinutes) * 60 + second)
        return seconds * 1000 + Int64(milliseconds)
    }

    public static func milliseconds(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { milliseconds(UnsafeRawBufferPointer($0)) }
    }

    /// `yyyy-MM-ddTHH:mm:ssZ`
    public static func text(_ milliseconds: Int64) -> String {
        String(unsafeUninitializedCapacity: 20) { buffer in
            write(milliseconds, to: UnsafeMutableRawPointer(buffer.baseAddress!), separated: true)
        }
    }

    /// `yyyyMMddHHmmss`
    public static func compactText(_ milliseconds: Int64) -> String {
        String(unsafeUninitializedCapacity: 14) { buffer in
            write(milliseconds, to: UnsafeMutableRawPointer(buffer.baseAddress!), separated: false)
        }
    }

    /// Writes 20 bytes if `separated`, else 14, and returns how many. Years are held to 0000...9999.
    @discardableResult
    static func write(_ milliseconds: Int64, to target: UnsafeMutableRawPointer, separated: Bool) -> Int {
        let limited = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let seconds = Int(limited >= 0 ? limited / 1000 : (limited - 999) / 1000)
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let ofDay = seconds - days * 86_400
        let (year, month, day) = civil(daysSince1970: days)
        var at = 0
        func put(_ value: Int, _ width: Int) {
            var value = value
            for place in stride(from: width - 1, through: 0, by: -1) {
                target.storeBytes(of: UInt8(48 + value % 10), toByteOffset: at + place, as: UInt8.self)
                value /= 10
            }
            at += width
        }
        func put(_ mark: Unicode.Scalar) {
            guard separated else { return }
            target.storeBytes(of: UInt8(ascii: mark), toByteOffset: at, as: UInt8.self)
            at += 1
        }
        put(year, 4)
        put("-")
        put(month, 2)
        put("-")
        put(day, 2)
        put("T")
        put(ofDay / 3600, 2)
        put(":")
        put(ofDay / 60 % 60, 2)
        put(":")
        put(ofDay % 60, 2)
        put("Z")
        return at
    }

    private static func isDateTimeSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "T") || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "t")
    }

    /// The minutes east of UTC that the rest of `text` says, or nil if it says something else.
    private static func offsetMinutes(_ text: UnsafeRawBufferPointer, _ start: Int) -> Int? {
        let rest = text.count - start
        if rest == 0 { return 0 }
        let sign = text[start]
        if rest == 1 { return sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") ? 0 : nil }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return nil }
        let minuteStart: Int
        switch rest {
        case 5: minuteStart = start + 3
        case 6 where text[start + 3] == UInt8(ascii: ":"): minuteStart = start + 4
        default: return nil
        }
        guard let hours = digits(text, start + 1, 2), let minutes = digits(text, minuteStart, 2),
            hours < 24, minutes < 60
        else { return nil }
        let total = hours * 60 + minutes
        return sign == UInt8(ascii: "-") ? -total : total
    }

    @inline(__always)
    private static func digits(_ text: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> Int? {
        var value = 0
        for index in start..<start + count {
            let digit = text[index] &- 48
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int(digit)
        }
        return value
    }

    private static func dayCount(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // Days and dates in eras of 400 years that begin on 1 March, so that the leap day comes last.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func civil(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let days = days + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}
