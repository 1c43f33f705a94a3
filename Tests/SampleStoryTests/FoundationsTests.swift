// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import SampleStory
import Testing

@Suite struct `The generator` {
    /// The published first outputs of SplitMix64 for this seed.
    @Test func `gives the numbers of the reference`() {
        var generator = SplitMix64(seed: 1_234_567)
        let numbers = (0..<5).map { _ in generator.next() }
        #expect(
            numbers == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test func `makes upper-case UUIDs`() {
        var generator = SplitMix64(seed: 1)
        for _ in 0..<1000 {
            let uuid = generator.uuid()
            #expect(uuid.wholeMatch(of: /[0-9A-F]{8}-[0-9A-F]{4}-5[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}/) != nil)
        }
    }

    @Test func `uses every letter and no other`() {
        var generator = SplitMix64(seed: 1)
        var bytes = [UInt8](repeating: 0, count: 4000)
        let letters = Alphabet.mixed.letters
        bytes.withUnsafeMutableBufferPointer { buffer in
            Draw.write(letters, buffer.baseAddress!, buffer.count, using: &generator)
        }
        #expect(Set(bytes) == Set(letters))
    }
}

@Suite struct `The calendar` {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (4_102_444_800, "2100-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
            (1_790_000_000, "2026-09-21T14:13:20Z"),
        ] as [(Int64, String)])
    func `writes the time as the service does`(time: Int64, stamp: String) {
        #expect(Calendar.stamp(time) == stamp)
    }

    @Test func `knows the weekday and the office's midnight`() {
        // 2026-09-21 is a Monday; at 16:00 UTC it is Tuesday in the office.
        #expect(Calendar.weekday(officeDay: Calendar.officeDay(1_790_000_000)) == 0)
        #expect(Calendar.weekday(officeDay: Calendar.officeDay(1_790_006_400)) == 1)
        #expect(Calendar.weekday(officeDay: -4) == 6)
    }
}

@Suite struct `The catalog` {
    @Test func `knows every operation the routines and the story use`() {
        let catalog = Catalog()
        let story = SampleStory(seed: 1, eventCount: 500, end: 0, accountId: "1", region: "cn-hangzhou")
        story.writeLines { _ in }
        for routine in Routine.week {
            for key in routine.opening + routine.bag.map(\.key) + routine.closing {
                #expect(catalog.operations[catalog.index(of: key)].key == key)
            }
        }
    }

    @Test func `escapes documents inside parameters twice`() {
        let value: JSON = ["Document": .document(["Action": "oss:*"])]
        #expect(value.serialized == #"{"Document":"{\"Action\":\"oss:*\"}"}"#)
        #expect(JSON.document(value).serialized == #""{\"Document\":\"{\\\"Action\\\":\\\"oss:*\\\"}\"}""#)
    }
}
