// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Which words the rows of a tail have: by blocks of rows, each made of whole frames.
struct TailWords: Sendable {
    /// A block is full with this many rows; the frame that fills it may bring more.
    static let blockRows = 64

    struct Block: Sendable {
        var firstRow: Int
        var rowCount = 0
        /// One for each dictionary that its frames name.
        var words: [FrameWords] = []
        /// A bit for the lowest bits of each hash that is in no book: most blocks are told by it not to have a word.
        private var filter: [UInt64]

        private static let filterBits: UInt32 = 1 << 15

        init(firstRow: Int) {
            self.firstRow = firstRow
            filter = Array(repeating: 0, count: Int(Self.filterBits / 64))
        }

        mutating func append(_ frame: FrameWords) {
            for hash in frame.others { filter[Int(hash % Self.filterBits) >> 6] |= 1 << UInt64(hash & 63) }
            if let same = words.firstIndex(where: { $0.dictionary === frame.dictionary }) {
                words[same].merge(frame)
            } else {
                words.append(frame)
            }
        }

        /// - Parameter number: of the word in the book of a dictionary.
        func mayContain(_ hash: UInt32, number: (FrameDictionary?) -> Int?) -> Bool {
            let mayBeOther = filter[Int(hash % Self.filterBits) >> 6] >> UInt64(hash & 63) & 1 == 1
            return words.contains { frame in
                frame.isOpen || frame.hasKnown(number(frame.dictionary)) || mayBeOther && frame.hasOther(hash)
            }
        }
    }

    private(set) var blocks: [Block] = []
    private var blockOfRow: [UInt16] = []

    /// Adds a frame; nil for records whose words cannot be known any more.
    mutating func append(_ words: FrameWords?, rows: Int) {
        guard rows > 0 else { return }
        if blocks.last.map({ $0.rowCount >= Self.blockRows }) ?? true {
            blocks.append(Block(firstRow: blockOfRow.count))
        }
        let last = blocks.count - 1
        blocks[last].rowCount += rows
        blockOfRow.append(contentsOf: repeatElement(UInt16(last), count: rows))
        if let words { blocks[last].append(words) }
    }

    func block(of row: Int) -> Int { Int(blockOfRow[row]) }

    func blocks(of rows: Range<Int>) -> ClosedRange<Int> { block(of: rows.lowerBound)...block(of: rows.upperBound - 1) }

    func blocks(with hash: UInt32) -> [Bool] {
        var numbers: [(dictionary: FrameDictionary?, number: Int?)] = []
        func number(_ dictionary: FrameDictionary?) -> Int? {
            if let known = numbers.first(where: { $0.dictionary === dictionary }) { return known.number }
            let number = dictionary?.words.number(of: hash)
            numbers.append((dictionary, number))
            return number
        }
        return blocks.map { $0.mayContain(hash, number: number) }
    }
}
