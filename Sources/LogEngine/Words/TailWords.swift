// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Which words the rows of a tail have: by blocks of rows, each made of whole frames.
struct TailWords: Sendable {
    /// A block is full with this many rows; the frame that fills it may bring more.
    static let blockRows = 64

    struct Block: Sendable {
        var firstRow: Int
        var rowCount: Int
        /// One for each dictionary that its frames name.
        var words: [FrameWords]
    }

    private(set) var blocks: [Block] = []
    private var blockOfRow: [UInt16] = []

    /// Adds a frame; nil for records whose words cannot be known any more.
    mutating func append(_ words: FrameWords?, rows: Int) {
        guard rows > 0 else { return }
        if blocks.last.map({ $0.rowCount >= Self.blockRows }) ?? true {
            blocks.append(Block(firstRow: blockOfRow.count, rowCount: 0, words: []))
        }
        let last = blocks.count - 1
        blocks[last].rowCount += rows
        blockOfRow.append(contentsOf: repeatElement(UInt16(last), count: rows))
        guard let words else { return }
        if let same = blocks[last].words.firstIndex(where: { $0.dictionary === words.dictionary }) {
            blocks[last].words[same].merge(words)
        } else {
            blocks[last].words.append(words)
        }
    }

    func block(of row: Int) -> Int { Int(blockOfRow[row]) }

    func blocks(with hash: UInt32) -> [Bool] {
        blocks.map { block in block.words.contains { $0.mayContain(hash) } }
    }
}
