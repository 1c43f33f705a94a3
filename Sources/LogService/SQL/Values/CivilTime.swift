// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A point in time as a calendar and a clock show it, proleptic Gregorian.
///
/// - Units: `milliseconds` since 1970-01-01 00:00 of the same clock.
struct CivilTime: Sendable, Equatable {
    var milliseconds: Int64

    static let day: Int64 = 86_400_000

    /// Times outside of these years are not times here: -9999 to 9999, so that no sum of times overflows.
    static let range: ClosedRange<Int64> = -377_705_116_800_000...253_402_300_799_999

    init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Nil if there is no such day or time.
    init?(
        year: Int64, month: Int64 = 1, day: Int64 = 1, hour: Int64 = 0, minute: Int64 = 0, second: Int64 = 0,
        millisecond: Int64 = 0
    ) {
        guard (-9999...9999).contains(year), (1...12).contains(month),
            (1...CivilTime.days(inMonth: month, of: year)).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second), (0...999).contains(millisecond)
        else { return nil }
        let days = CivilTime.days(year: year, month: month, day: day)
        milliseconds = days * CivilTime.day + ((hour * 60 + minute) * 60 + second) * 1000 + millisecond
    }

    /// Days since 1970-01-01. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Rounded down.
    static func divide(_ value: Int64, by divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    var days: Int64 { CivilTime.divide(milliseconds, by: CivilTime.day) }
    var millisecondOfDay: Int64 { milliseconds - days * CivilTime.day }

    /// Year, month and day. Source: as above, civil_from_days.
    var date: (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * part + 2) / 5 + 1)
    }

    var hour: Int64 { millisecondOfDay / 3_600_000 }
    var minute: Int64 { millisecondOfDay / 60_000 % 60 }
    var second: Int64 { millisecondOfDay / 1000 % 60 }
    var millisecond: Int64 { millisecondOfDay % 1000 }
    /// 1 for Monday to 7 for Sunday.
    var weekday: Int64 { (days + 3) - CivilTime.divide(days + 3, by: 7) * 7 + 1 }
    var dayOfYear: Int64 { days - CivilTime.days(year: date.year, month: 1, day: 1) + 1 }

    /// ISO 8601: a week belongs to the year that has its Thursday.
    var week: (year: Int64, number: Int64) {
        let thursday = days - weekday + 4
        let year = CivilTime(milliseconds: thursday * CivilTime.day).date.year
        return (year, (thursday - CivilTime.days(year: year, month: 1, day: 1)) / 7 + 1)
    }

    /// The day is cut to the month's last.
    func adding(months: Int64) -> CivilTime? {
        let (year, month, day) = date
        let (count, hasOverflowed) = (year * 12 + month - 1).addingReportingOverflow(months)
        if hasOverflowed { return nil }
        let newYear = CivilTime.divide(count, by: 12)
        let newMonth = count - newYear * 12 + 1
        guard (-9999...9999).contains(newYear) else { return nil }
        let newDay = min(day, CivilTime.days(inMonth: newMonth, of: newYear))
        return CivilTime(
            milliseconds: CivilTime.days(year: newYear, month: newMonth, day: newDay) * CivilTime.day + millisecondOfDay)
    }

    static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value.magnitude)
        return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    var dateText: String {
        let (year, month, day) = date
        return CivilTime.padded(year, 4) + "-" + CivilTime.padded(month, 2) + "-" + CivilTime.padded(day, 2)
    }

    var timestampText: String {
        dateText + " " + CivilTime.padded(hour, 2) + ":" + CivilTime.padded(minute, 2) + ":" + CivilTime.padded(second, 2) + "."
            + CivilTime.padded(millisecond, 3)
    }

    /// `YYYY-MM-DD`, then nothing or a blank or `T` and `HH:MM[:SS[.fraction]]`, then nothing or `Z` or `±HH[:]MM`.
    ///
    /// - Returns: What the text's clock shows, and the seconds it is ahead of UTC if the text says so; nil if it is no time.
    static func parse(_ text: String) -> (CivilTime, zone: Int64?)? {
        var scanner = DigitScanner(text)
        scanner.skipBlanks()
        guard let year = scanner.number(1...4), scanner.skip("-"), let month = scanner.number(1...2), scanner.skip("-"),
            let day = scanner.number(1...2)
        else { return nil }
        var clock: (Int64, Int64, Int64, Int64) = (0, 0, 0, 0)
        var zone: Int64?
        if scanner.skip("T") || (scanner.skip(" ") && scanner.isAtDigit) {
            guard let hour = scanner.number(1...2), scanner.skip(":"), let minute = scanner.number(1...2) else { return nil }
            clock = (hour, minute, 0, 0)
            if scanner.skip(":") {
                guard let second = scanner.number(1...2) else { return nil }
                clock.2 = second
                if scanner.skip(".") {
                    guard let milliseconds = scanner.fraction() else { return nil }
                    clock.3 = milliseconds
                }
            }
            scanner.skipBlanks()
            guard let found = scanner.zone() else { return nil }
            zone = found.offset
        }
        scanner.skipBlanks()
        guard scanner.isAtEnd,
            let time = CivilTime(
                year: year, month: month, day: day, hour: clock.0, minute: clock.1, second: clock.2, millisecond: clock.3)
        else { return nil }
        return (time, zone)
    }
}

/// Reads numbers out of a text, byte by byte.
struct DigitScanner {
    private let bytes: [UInt8]
    private(set) var place = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { place == bytes.count }
    var isAtDigit: Bool { place < bytes.count && bytes[place] >= 0x30 && bytes[place] <= 0x39 }

    mutating func skipBlanks() {
        while place < bytes.count, bytes[place] == 0x20 { place += 1 }
    }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard place < bytes.count, UInt32(bytes[place]) == character.value else { return false }
        place += 1
        return true
    }

    mutating func skipLetters() -> Substring {
        let start = place
        while place < bytes.count, bytes[place] | 0x20 >= 0x61, bytes[place] | 0x20 <= 0x7A { place += 1 }
        return Substring(decoding: bytes[start..<place], as: UTF8.self)
    }

    mutating func number(_ digits: ClosedRange<Int>) -> Int64? {
        var value: Int64 = 0
        var count = 0
        while isAtDigit, count < digits.upperBound {
            value = value * 10 + Int64(bytes[place] - 0x30)
            place += 1
            count += 1
        }
        return count >= digits.lowerBound ? value : nil
    }

    /// Milliseconds of a decimal fraction of any length.
    mutating func fraction() -> Int64? {
        guard isAtDigit else { return nil }
        var value: Int64 = 0
        var scale: Int64 = 100
        while isAtDigit {
            value += Int64(bytes[place] - 0x30) * scale
            scale /= 10
            place += 1
        }
        return value
    }

    /// Nil if what stands here is not a zone; an offset of nil if nothing does.
    mutating func zone() -> (offset: Int64?, ())? {
        if skip("Z") { return (0, ()) }
        let isNegative = skip("-")
        guard isNegative || skip("+") else { return (nil, ()) }
        guard let hours = number(1...2) else { return nil }
        _ = skip(":")
        let seconds = (hours * 60 + (number(2...2) ?? 0)) * 60
        return seconds <= 18 * 3600 ? (isNegative ? -seconds : seconds, ()) : nil
    }
}
