// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// How a slot gets its bytes at the moment an event is written.
package enum Draw: Sendable {
    case pool([Extent])
    case letters(Extent, prefixCount: Int, [UInt8])
    case number(Extent, ClosedRange<Int>)
    case stamp(Extent, secondsLater: Int64)
    case seconds(Extent, secondsLater: Int64)
    case milliseconds(Extent)

    /// - Returns: nil for the slots the writer fills itself.
    package init?(_ slot: Slot, pools: [Slot: [String]], arena: inout [UInt8]) {
        switch slot.source {
        case .pool:
            self = .pool(pools[slot]!.map { arena.store($0) })
        case .letters(let prefix, let count, let alphabet):
            let start = arena.store(prefix)
            let letters = arena.reserve(count)
            self = .letters(
                Extent(start: start.start, count: start.count + letters.count), prefixCount: start.count,
                alphabet.letters)
        case .number(let range):
            self = .number(arena.reserve(Draw.longestNumber), range)
        case .writer:
            switch slot {
            case .since: self = .stamp(arena.reserve(Calendar.stampLength), secondsLater: -Calendar.day)
            case .expiry: self = .stamp(arena.reserve(Calendar.stampLength), secondsLater: 3600)
            case .epoch: self = .seconds(arena.reserve(Draw.longestNumber), secondsLater: 0)
            case .epochBefore: self = .seconds(arena.reserve(Draw.longestNumber), secondsLater: -900)
            case .milliseconds: self = .milliseconds(arena.reserve(Draw.longestNumber))
            default: return nil
            }
        }
    }

    package static let longestNumber = 20

    package func fill(_ arena: UnsafeMutablePointer<UInt8>, time: Int64, using generator: inout SplitMix64) -> Extent {
        switch self {
        case .pool(let values):
            return values[generator.next(below: values.count)]
        case .letters(let extent, let prefix, let letters):
            Draw.write(letters, arena + extent.start + prefix, extent.count - prefix, using: &generator)
            return extent
        case .number(let extent, let range):
            return Draw.write(generator.next(in: range), arena, into: extent)
        case .stamp(let extent, let later):
            Calendar.writeStamp(time + later, into: arena + extent.start)
            return extent
        case .seconds(let extent, let later):
            return Draw.write(Int(time + later), arena, into: extent)
        case .milliseconds(let extent):
            return Draw.write(Int(time) * 1000 + generator.next(below: 1000), arena, into: extent)
        }
    }

    /// Eight letters from each number drawn; the bias of a 256th does not matter here.
    package static func write(
        _ letters: [UInt8], _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, using generator: inout SplitMix64
    ) {
        var word: UInt64 = 0
        for place in 0..<count {
            if place & 7 == 0 {
                word = generator.next()
            }
            bytes[place] = letters[(Int(word & 255) * letters.count) >> 8]
            word >>= 8
        }
    }

    /// Digits stand at the end of the extent, so the extent returned is its filled part.
    private static func write(_ value: Int, _ arena: UnsafeMutablePointer<UInt8>, into extent: Extent) -> Extent {
        var rest = value.magnitude
        var place = extent.start + extent.count
        repeat {
            place -= 1
            arena[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        if value < 0 {
            place -= 1
            arena[place] = UInt8(ascii: "-")
        }
        return Extent(start: place, count: extent.start + extent.count - place)
    }
}
