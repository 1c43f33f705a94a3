// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Foundation
import TestSupport
import Testing

@Suite struct `The time of an event` {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-01-01T00:00:00Z", 1_767_225_600_000),
            ("2026-01-01 00:00:00", 1_767_225_600_000), ("2026-01-01T00:00:00", 1_767_225_600_000),
            ("2026-01-01t00:00:00z", 1_767_225_600_000), ("2026-01-01T00:00:00.1Z", 1_767_225_600_100),
            ("2026-01-01T00:00:00.123456789Z", 1_767_225_600_123), ("2022-11-29 00:09:04.38", 1_669_680_544_380),
            ("2020-12-01T11:54:59.366+0000", 1_606_823_699_366), ("2026-01-01T08:00:00+08:00", 1_767_225_600_000),
            ("2025-12-31T19:30:00-0430", 1_767_225_600_000), ("2024-02-29T12:00:00Z", 1_709_208_000_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000), ("1969-12-31T23:59:59Z", -1000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000), ("1767225600", 1_767_225_600_000),
            ("1767225600123", 1_767_225_600_123), ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] as [(String, Int64)])
    func `is read`(text: String, milliseconds: Int64) {
        #expect(EventTime.milliseconds(text) == milliseconds)
    }

    @Test(arguments: [
        "", "now", "2026", "2026-01-01", "2026-01-01T00:00", "2026-1-01T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2025-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00X",
        "2026-01-01T00:00:00+8", "2026-01-01T00:00:00+08:0", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0860",
        "2026-01-01T00:00:00ZZ", "2026-01-01_00:00:00Z", " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z ",
        "176722560", "17672256000", "176722560012", "-1767225600", "1767225600.5", "1.7672256e9", "20260101T000000Z",
        "２０２６-01-01T00:00:00Z",
    ])
    func `is refused when it is not one`(text: String) {
        #expect(EventTime.milliseconds(text) == nil)
    }

    @Test func `is written and read back for every day of four centuries`() {
        for day in Int64(-20_000)..<130_000 {
            let time = day * 86_400_000 + 45_296_000
            #expect(EventTime.milliseconds(EventTime.text(time)) == time)
        }
    }

    @Test func `is written as the wire wants it`() {
        #expect(EventTime.text(now) == "2026-01-01T00:00:00Z")
        #expect(EventTime.text(now + 999) == "2026-01-01T00:00:00Z")
        #expect(EventTime.text(-1) == "1969-12-31T23:59:59Z")
        #expect(EventTime.compactText(1_709_208_000_000) == "20240229120000")
        #expect(EventTime.text(.max) == "9999-12-31T23:59:59Z")
        #expect(EventTime.text(.min) == "0000-01-01T00:00:00Z")
    }

    @Test func `agrees with Foundation`() {
        let formatter = ISO8601DateFormatter()
        var generator = SeededGenerator(state: 7)
        for _ in 0..<2000 {
            let seconds = Int64.random(in: -2_000_000_000..<9_000_000_000, using: &generator)
            let text = formatter.string(from: Date(timeIntervalSince1970: TimeInterval(seconds)))
            #expect(EventTime.text(seconds * 1000) == text)
        }
    }
}
