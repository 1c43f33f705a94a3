// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Days and hours counted from 1970 in UTC, and the wall clock of the company's one office.
package enum Calendar {
    package static let hour: Int64 = 3600
    package static let day: Int64 = 24 * hour

    /// The office keeps China Standard Time, which has no summer time.
    package static let officeOffset: Int64 = 8 * hour

    package static func officeDay(_ time: Int64) -> Int64 {
        floorDivide(time + officeOffset, day)
    }

    package static func time(officeDay: Int64, hour: Int64, minute: Int64) -> Int64 {
        officeDay * day + hour * Calendar.hour + minute * 60 - officeOffset
    }

    /// 0 is Monday.
    package static func weekday(officeDay: Int64) -> Int {
        let sinceMonday = (officeDay + 3) % 7
        return Int(sinceMonday < 0 ? sinceMonday + 7 : sinceMonday)
    }

    package static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    /// - Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    package static func civil(day: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (Int(year), Int(month), Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))
    }

    package static let stampLength = 20

    /// Writes `yyyy-MM-ddTHH:mm:ssZ`.
    package static func writeStamp(_ time: Int64, into bytes: UnsafeMutablePointer<UInt8>) {
        let days = floorDivide(time, day)
        let seconds = Int(time - days * day)
        let date = civil(day: days)
        writePair(date.year / 100, into: bytes)
        writePair(date.year % 100, into: bytes + 2)
        writePair(date.month, into: bytes + 5)
        writePair(date.day, into: bytes + 8)
        writePair(seconds / 3600, into: bytes + 11)
        writePair(seconds / 60 % 60, into: bytes + 14)
        writePair(seconds % 60, into: bytes + 17)
        bytes[4] = UInt8(ascii: "-")
        bytes[7] = UInt8(ascii: "-")
        bytes[10] = UInt8(ascii: "T")
        bytes[13] = UInt8(ascii: ":")
        bytes[16] = UInt8(ascii: ":")
        bytes[19] = UInt8(ascii: "Z")
    }

    package static func stamp(_ time: Int64) -> String {
        var bytes = [UInt8](repeating: 0, count: stampLength)
        bytes.withUnsafeMutableBufferPointer { writeStamp(time, into: $0.baseAddress!) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func writePair(_ value: Int, into bytes: UnsafeMutablePointer<UInt8>) {
        bytes[0] = 0x30 + UInt8(truncatingIfNeeded: value / 10)
        bytes[1] = 0x30 + UInt8(truncatingIfNeeded: value % 10)
    }
}
