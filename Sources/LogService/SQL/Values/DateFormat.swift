// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Dates as MySQL writes and reads them; source: sls.md section 11, "date_format letters".
enum DateFormat {
    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]
    static let weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    static func text(_ time: CivilTime, _ format: String) -> String {
        var result = ""
        var isLetter = false
        for character in format {
            if isLetter {
                result += field(character, time)
                isLetter = false
            } else if character == "%" {
                isLetter = true
            } else {
                result.append(character)
            }
        }
        return result
    }

    private static func field(_ letter: Character, _ time: CivilTime) -> String {
        let (year, month, day) = time.date
        let hour12 = (time.hour + 11) % 12 + 1
        let half = time.hour < 12 ? "AM" : "PM"
        func two(_ value: Int64) -> String { CivilTime.padded(value, 2) }
        let clock = ":" + two(time.minute) + ":" + two(time.second)
        switch letter {
        case "a": return String(weekdays[Int(time.weekday) - 1].prefix(3))
        case "b": return String(months[Int(month) - 1].prefix(3))
        case "c": return String(month)
        case "D": return "\(day)" + suffix(of: day)
        case "d": return two(day)
        case "e": return String(day)
        case "f": return CivilTime.padded(time.millisecond * 1000, 6)
        case "H": return two(time.hour)
        case "h", "I": return two(hour12)
        case "i": return two(time.minute)
        case "j": return CivilTime.padded(time.dayOfYear, 3)
        case "k": return String(time.hour)
        case "l": return String(hour12)
        case "M": return months[Int(month) - 1]
        case "m": return two(month)
        case "p": return half
        case "r": return two(hour12) + clock + " " + half
        case "S", "s": return two(time.second)
        case "T": return two(time.hour) + clock
        case "U", "V": return two(sundayWeek(time).number)
        case "u", "v": return two(time.week.number)
        case "W": return weekdays[Int(time.weekday) - 1]
        case "w": return String(time.weekday % 7)
        case "X": return CivilTime.padded(sundayWeek(time).year, 4)
        case "x": return CivilTime.padded(time.week.year, 4)
        case "Y": return CivilTime.padded(year, 4)
        case "y": return two(((year % 100) + 100) % 100)
        default: return String(letter)
        }
    }

    private static func suffix(of day: Int64) -> String {
        switch day {
        case 1, 21, 31: "st"
        case 2, 22: "nd"
        case 3, 23: "rd"
        default: "th"
        }
    }

    /// Weeks that begin on Sunday; the first one of a year is that of its first Sunday.
    private static func sundayWeek(_ time: CivilTime) -> (year: Int64, number: Int64) {
        let sunday = time.days - time.weekday % 7
        let year = CivilTime(milliseconds: sunday * CivilTime.day).date.year
        return (year, (sunday - CivilTime.days(year: year, month: 1, day: 1)) / 7 + 1)
    }

    /// Nil if the text does not follow the format.
    static func parse(_ text: String, _ format: String) -> CivilTime? {
        var scanner = DigitScanner(text)
        var (year, month, day) = (Int64(1970), Int64(1), Int64(1))
        var (hour, minute, second, millisecond) = (Int64(0), Int64(0), Int64(0), Int64(0))
        var isAfternoon: Bool?
        var dayOfYear: Int64?

        func number(_ digits: ClosedRange<Int>, _ target: inout Int64) -> Bool {
            guard let value = scanner.number(digits) else { return false }
            target = value
            return true
        }
        func half() -> Bool {
            switch scanner.skipLetters().lowercased() {
            case "am": isAfternoon = false
            case "pm": isAfternoon = true
            default: return false
            }
            return true
        }
        func named(_ names: [String], short: Bool) -> Int? {
            let word = scanner.skipLetters().lowercased()
            return names.firstIndex { (short ? String($0.prefix(3)) : $0).lowercased() == word }
        }
        func read(_ letter: Character) -> Bool {
            switch letter {
            case "Y": return number(4...4, &year)
            case "y":
                guard let short = scanner.number(2...2) else { return false }
                year = short + (short < 70 ? 2000 : 1900)
                return true
            case "m", "c": return number(1...2, &month)
            case "d", "e": return number(1...2, &day)
            case "H", "k", "h", "I", "l": return number(1...2, &hour)
            case "i": return number(1...2, &minute)
            case "s", "S": return number(1...2, &second)
            case "f":
                guard let fraction = scanner.fraction() else { return false }
                millisecond = fraction
                return true
            case "p": return half()
            case "j":
                dayOfYear = scanner.number(1...3)
                return dayOfYear != nil
            case "b", "M":
                guard let place = named(months, short: letter == "b") else { return false }
                month = Int64(place + 1)
                return true
            case "a", "W": return named(weekdays, short: letter == "a") != nil
            case "T", "r":
                guard number(1...2, &hour), scanner.skip(":"), number(1...2, &minute), scanner.skip(":"), number(1...2, &second)
                else { return false }
                return letter == "T" || (scanner.skip(" ") && half())
            case "%": return scanner.skip("%")
            default: return false
            }
        }

        var isLetter = false
        for character in format {
            if isLetter {
                guard read(character) else { return nil }
                isLetter = false
            } else if character == "%" {
                isLetter = true
            } else {
                for scalar in String(character).utf8 {
                    guard scanner.skip(Unicode.Scalar(scalar)) else { return nil }
                }
            }
        }
        guard scanner.isAtEnd, !isLetter else { return nil }
        if let isAfternoon {
            guard (1...12).contains(hour) else { return nil }
            hour = hour % 12 + (isAfternoon ? 12 : 0)
        }
        guard
            let time = CivilTime(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second, millisecond: millisecond)
        else { return nil }
        guard let dayOfYear else { return time }
        guard dayOfYear >= 1, dayOfYear <= 366 else { return nil }
        let first = CivilTime.days(year: year, month: 1, day: 1)
        return CivilTime(milliseconds: (first + dayOfYear - 1) * CivilTime.day + time.millisecondOfDay)
    }
}

/// A unit of date_trunc, date_add and date_diff.
enum TimeUnit: String {
    case millisecond
    case second
    case minute
    case hour
    case day
    case week
    case month
    case quarter
    case year

    init(name: String) throws {
        if let unit = TimeUnit(rawValue: name) {
            self = unit
            return
        }
        let lower = name.lowercased()
        guard let unit = TimeUnit(rawValue: lower.last == "s" ? String(lower.dropLast()) : lower) else {
            throw SQLFailure.data("'\(name.prefix(100))' is not a valid time unit")
        }
        self = unit
    }

    /// Milliseconds, or months.
    private var length: (milliseconds: Int64?, months: Int64) {
        switch self {
        case .millisecond: (1, 0)
        case .second: (1000, 0)
        case .minute: (60_000, 0)
        case .hour: (3_600_000, 0)
        case .day: (CivilTime.day, 0)
        case .week: (7 * CivilTime.day, 0)
        case .month: (nil, 1)
        case .quarter: (nil, 3)
        case .year: (nil, 12)
        }
    }

    func start(of time: CivilTime) -> CivilTime {
        switch self {
        case .week: return CivilTime(milliseconds: (time.days - time.weekday + 1) * CivilTime.day)
        case .month, .quarter, .year:
            let (year, month, _) = time.date
            let first = self == .month ? month : (self == .year ? 1 : (month - 1) / 3 * 3 + 1)
            return CivilTime(milliseconds: CivilTime.days(year: year, month: first, day: 1) * CivilTime.day)
        default:
            let size = length.milliseconds ?? 1
            return CivilTime(milliseconds: CivilTime.divide(time.milliseconds, by: size) * size)
        }
    }

    func add(_ count: Int64, to time: CivilTime) throws -> CivilTime {
        let (milliseconds, months) = length
        let (amount, overflow) = count.multipliedReportingOverflow(by: milliseconds ?? months)
        let result: CivilTime?
        if milliseconds == nil {
            result = overflow ? nil : time.adding(months: amount)
        } else {
            let (sum, sumOverflow) = time.milliseconds.addingReportingOverflow(amount)
            result = overflow || sumOverflow ? nil : CivilTime(milliseconds: sum)
        }
        guard let result, CivilTime.range.contains(result.milliseconds) else { throw SQLFailure.data("the time is out of range") }
        return result
    }

    /// Whole units from one time to another.
    func difference(from start: CivilTime, to end: CivilTime) -> Int64 {
        let (milliseconds, months) = length
        if let milliseconds { return (end.milliseconds - start.milliseconds) / milliseconds }
        if end.milliseconds < start.milliseconds { return -difference(from: end, to: start) }
        let (one, other) = (start.date, end.date)
        var count = (other.year - one.year) * 12 + other.month - one.month
        // The last month counts if its day and clock have been reached; that of a longer month on the last day.
        if let reached = start.adding(months: count), reached.milliseconds > end.milliseconds { count -= 1 }
        return count / months
    }
}
