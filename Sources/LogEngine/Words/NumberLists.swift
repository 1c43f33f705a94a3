// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Lists of numbers, in two arrays.
struct NumberLists: Sendable {
    private var numbers: [UInt32] = []
    private var ends: [UInt32] = []

    init(_ lists: [[UInt32]]) {
        for list in lists {
            numbers += list
            ends.append(UInt32(numbers.count))
        }
    }

    var count: Int { ends.count }

    subscript(index: Int) -> ArraySlice<UInt32> {
        numbers[Int(index == 0 ? 0 : ends[index - 1])..<Int(ends[index])]
    }

    /// For each number below `count` the lists that have it, ascending.
    func inverted(count: Int) -> NumberLists {
        var lists = [[UInt32]](repeating: [], count: count)
        for index in 0..<self.count {
            for number in self[index] { lists[Int(number)].append(UInt32(index)) }
        }
        return NumberLists(lists)
    }
}
