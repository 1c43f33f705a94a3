// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import SampleStory
import Testing

@Suite struct `A sample` {
    /// A change here breaks every demonstration and benchmark that names a seed: weigh it.
    @Test func `is the same for ever`() {
        #expect(checksum(Sample(seed: 1, eventCount: 2000).bytes) == 12_853_319_935_607_316_502)
        #expect(checksum(Sample(seed: 7, eventCount: 30_000, end: 1_767_225_600).bytes) == 13_224_034_140_569_864_555)
    }

    @Test func `is another one for another seed, count, end or region`() {
        let samples = [
            Sample(), Sample(seed: 2), Sample(eventCount: 2001), Sample(end: 1_790_000_001),
            Sample(region: "cn-beijing"),
        ]
        #expect(Set(samples.map { checksum($0.bytes) }).count == samples.count)
    }

    @Test(arguments: [500, 501, 2000, 30_000])
    func `has as many lines as asked for`(count: Int) {
        let sample = Sample(eventCount: count)
        #expect(sample.story.eventCount == count)
        #expect(sample.bytes.count { $0 == UInt8(ascii: "\n") } == count)
        #expect(sample.bytes.last == UInt8(ascii: "\n"))
    }

    @Test func `has the smallest size when less is asked for`() {
        #expect(Sample(eventCount: -3).bytes == Sample(eventCount: SampleStory.minimumEventCount).bytes)
    }

    @Test func `keeps its cast whatever its size`() {
        #expect(Sample(eventCount: 500).story.cast == Sample(eventCount: 30_000).story.cast)
        #expect(Sample(seed: 1).story.cast != Sample(seed: 2).story.cast)
    }

    @Test func `comes in chunks of whole lines and stops when the sink throws`() throws {
        struct Full: Error {}
        let story = Sample().story
        var chunks = 0
        story.writeLines { chunk in
            chunks += 1
            #expect(chunk.last == UInt8(ascii: "\n"))
        }
        #expect(chunks > 10)
        var seen = 0
        #expect(throws: Full.self) {
            try story.writeLines { _ in
                seen += 1
                throw Full()
            }
        }
        #expect(seen == 1)
    }

    @Test func `is written quickly`() {
        let count = 200_000
        let story = SampleStory(
            seed: 1, eventCount: count, end: 1_790_000_000, accountId: "1000000000000001", region: "cn-hangzhou")
        var bytes = 0
        let elapsed = ContinuousClock().measure {
            story.writeLines { bytes += $0.count }
        }
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        print("SampleStory: \(Int(Double(count) / seconds)) events/s, \(bytes / count) bytes an event")
    }
}
