// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A moment in whole seconds, UTC, with the three ways in which requests write one.
public struct WireTime: Sendable, Hashable, Comparable {
    public var secondsSince1970: Int64

    public init(secondsSince1970: Int64) {
        self.secondsSince1970 = secondsSince1970
    }

    /// The computer's clock.
    public static func now() -> WireTime {
        WireTime(secondsSince1970: Int64(Date().timeIntervalSince1970.rounded(.down)))
    }

    public static func < (one: WireTime, other: WireTime) -> Bool {
        one.secondsSince1970 < other.secondsSince1970
    }

    public static func + (time: WireTime, seconds: Int64) -> WireTime {
        WireTime(secondsSince1970: time.secondsSince1970 + seconds)
    }

    public static func - (time: WireTime, seconds: Int64) -> WireTime {
        time + -seconds
    }
}

extension WireTime {
    /// `2026-11-22T15:13:06Z`: `x-acs-date` and `Timestamp` (actiontrail.md sections 2 and 4).
    public init?(iso8601 text: String) {
        self.init(text, shape: "yyyy-MM-ddTHH:mm:ssZ")
    }

    /// `20260102T030405Z`: `x-oss-date` under V4 (oss.md section 6).
    public init?(compact text: String) {
        self.init(text, shape: "yyyyMMddTHHmmssZ")
    }

    /// `Fri, 02 Jan 2026 03:04:05 GMT`: `Date` (RFC 9110 section 5.6.7, the preferred form only).
    public init?(httpDate text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 29, bytes[25...].elementsEqual(" GMT".utf8),
            let month = Self.monthNames.firstIndex(where: { $0.utf8.elementsEqual(bytes[8..<11]) }),
            Self.dayNames.contains(where: { $0.utf8.elementsEqual(bytes[0..<3]) })
        else { return nil }
        let number = String(month + 1)
        let digits = Array((number.utf8.count == 1 ? "0" + number : number).utf8)
        self.init(
            String(decoding: bytes[3..<8] + digits + bytes[11..<25], as: UTF8.self), shape: ", dd MM yyyy HH:mm:ss")
    }

    /// `Fri, 02 Jan 2026 03:04:05 GMT`.
    public var httpDate: String {
        let time = written(as: "yyyyMMddHHmmss")
        let digits = Array(time.utf8)
        func part(_ range: Range<Int>) -> String { String(decoding: digits[range], as: UTF8.self) }
        let month = Self.monthNames[(Int(part(4..<6)) ?? 1) - 1]
        // 1 January 1970 was a Thursday, the fourth of these names.
        let weekday = secondsSince1970.flooredQuotientAndRemainder(dividingBy: 86_400).quotient
        let day = Self.dayNames[Int((weekday + 3).flooredQuotientAndRemainder(dividingBy: 7).remainder)]
        return "\(day), \(part(6..<8)) \(month) \(part(0..<4)) \(part(8..<10)):\(part(10..<12)):\(part(12..<14)) GMT"
    }

    public var iso8601: String { written(as: "yyyy-MM-ddTHH:mm:ssZ") }
    public var compact: String { written(as: "yyyyMMddTHHmmssZ") }
    /// `20260102`, the first part of a V4 scope.
    public var compactDay: String { written(as: "yyyyMMdd") }

    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    private static let dayNames = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
}

/// The letters of a shape that stand for digits; every other character stands for itself.
private let fieldLetters = Array("yMdHms".utf8)

extension WireTime {
    fileprivate init?(_ text: String, shape: String) {
        guard text.utf8.count == shape.utf8.count else { return nil }
        var fields = [Int64](repeating: 0, count: fieldLetters.count)
        for (byte, letter) in zip(text.utf8, shape.utf8) {
            if let field = fieldLetters.firstIndex(of: letter) {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                fields[field] = fields[field] * 10 + Int64(byte - UInt8(ascii: "0"))
            } else if byte != letter {
                return nil
            }
        }
        let (year, month, day) = (fields[0], fields[1], fields[2])
        let (hour, minute, second) = (fields[3], fields[4], fields[5])
        guard (1...12).contains(month), (1...Self.daysIn(month, of: year)).contains(day),
            hour < 24, minute < 60, second < 60
        else { return nil }
        self.init(
            secondsSince1970: ((Self.days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
    }

    fileprivate func written(as shape: String) -> String {
        let (days, second) = secondsSince1970.flooredQuotientAndRemainder(dividingBy: 86_400)
        let (year, month, day) = Self.civil(days)
        var rest = [year, month, day, second / 3600, second / 60 % 60, second % 60]
        var bytes: [UInt8] = []
        for letter in shape.utf8.reversed() {
            if let field = fieldLetters.firstIndex(of: letter) {
                bytes.append(UInt8(ascii: "0") + UInt8(rest[field] % 10))
                rest[field] /= 10
            } else {
                bytes.append(letter)
            }
        }
        return String(decoding: bytes.reversed(), as: UTF8.self)
    }

    private static func daysIn(_ month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970 of a date in the Gregorian calendar, counted in years that begin in March.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shifted.flooredQuotientAndRemainder(dividingBy: 400)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (days + 719_468).flooredQuotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }
}

extension Int64 {
    fileprivate func flooredQuotientAndRemainder(dividingBy divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
