// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The clock that times are shown by and read from: a fixed distance from UTC, whatever the season.
package struct SQLTimeZone: Sendable, Equatable {
    /// Seconds east of UTC.
    package var offset: Int64

    package init(offset: Int64) { self.offset = max(-64_800, min(64_800, offset)) }

    /// The vendor's default, Asia/Shanghai; source: sls.md section 11, "time zone".
    package static let standard = SQLTimeZone(offset: 8 * 3600)

    /// `+08:00`, `UTC`, `Z` or one of the few names whose distance has not changed since 1992.
    init?(name: String) {
        switch name.lowercased() {
        case "utc", "gmt", "z", "etc/utc", "zulu": self.init(offset: 0)
        case "asia/shanghai", "asia/chongqing", "asia/hong_kong", "asia/singapore", "asia/taipei", "asia/macau", "prc":
            self.init(offset: 8 * 3600)
        case "asia/tokyo", "asia/seoul": self.init(offset: 9 * 3600)
        case "asia/kolkata", "asia/calcutta": self.init(offset: 19_800)
        case "asia/dubai": self.init(offset: 4 * 3600)
        case "asia/jakarta", "asia/bangkok", "asia/ho_chi_minh": self.init(offset: 7 * 3600)
        default:
            let digits =
                name.lowercased().hasPrefix("utc") || name.lowercased().hasPrefix("gmt") ? String(name.dropFirst(3)) : name
            var scanner = DigitScanner(digits)
            guard !digits.isEmpty, let offset = scanner.zone()?.offset, scanner.isAtEnd else { return nil }
            self.init(offset: offset)
        }
    }

    /// What a clock in this zone shows, of milliseconds since 1970 UTC. Times out of range become the nearest in it.
    func local(_ milliseconds: Int64) -> CivilTime {
        let range = CivilTime.range
        return CivilTime(milliseconds: min(max(milliseconds, range.lowerBound), range.upperBound) + offset * 1000)
    }

    /// Milliseconds since 1970 UTC.
    func instant(_ time: CivilTime) -> Int64 { time.milliseconds - offset * 1000 }
}
