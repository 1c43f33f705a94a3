// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The words of a ``PhraseBook``, hashed once, so that those of a record written with it need not be found again.
struct BookWords: Sendable {
    /// Distinct, ascending; a word's number is its place here.
    let hashes: [UInt32]
    let phrases: NumberLists
    let values: NumberLists
    /// The other way round: for each word the phrases and the values that have it.
    let phrasesWithWord: NumberLists
    let valuesWithWord: NumberLists
    /// Phrases behind which the unique value stands, if it is in the outermost object.
    let precedesUnique: [Bool]
    /// How many levels each phrase leads into objects and arrays, or out of them.
    let depthChanges: [Int]

    /// - Parameter uniqueKey: the key of the unique value, if records are JSON.
    init(_ book: PhraseBook, hasher: WordHasher, uniqueKey: String) {
        var lists: [[[UInt32]]] = []
        for table in [book.phrases, book.values] {
            lists.append(
                (0..<table.count).map { number in
                    var found: Set<UInt32> = []
                    table.withBytes(of: number) { hasher.forEachWord(in: $0) { hash, _ in found.insert(hash) } }
                    return found.sorted()
                })
        }
        let hashes = Set(lists.joined().joined()).sorted()
        var numbers: [UInt32: UInt32] = [:]
        for (number, hash) in hashes.enumerated() { numbers[hash] = UInt32(number) }
        let numbered = lists.map { entries in NumberLists(entries.map { entry in entry.map { numbers[$0]! } }) }
        self.hashes = hashes
        phrases = numbered[0]
        values = numbered[1]
        phrasesWithWord = phrases.inverted(count: hashes.count)
        valuesWithWord = values.inverted(count: hashes.count)
        // What stands before the key says that its mark is no escaped one within another.
        let endings = uniqueKey.isEmpty ? [] : ["{", ","].map { Array("\($0)\"\(uniqueKey)\":\"".utf8) }
        precedesUnique = (0..<book.phrases.count).map { number in
            book.phrases.withBytes(of: number) { phrase in
                endings.contains { phrase.suffix($0.count).elementsEqual($0) }
            }
        }
        depthChanges = (0..<book.phrases.count).map { book.phrases.withBytes(of: $0) { Self.depthChange(of: $0) } }
    }

    /// How many levels a phrase leads into objects and arrays, or out of them; a mark at its beginning ends the value before.
    static func depthChange(of phrase: UnsafeRawBufferPointer) -> Int {
        var depth = 0
        var isInKey = false
        var place = phrase.first == UInt8(ascii: "\"") ? 1 : 0
        while place < phrase.count {
            let byte = phrase[place]
            if byte == UInt8(ascii: "\"") {
                isInKey.toggle()
            } else if isInKey {
                if byte == UInt8(ascii: "\\") { place += 1 }
            } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                depth += 1
            } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
                depth -= 1
            }
            place += 1
        }
        return depth
    }

    func number(of hash: UInt32) -> Int? {
        let low = hashes.partitionPoint { $0 < hash }
        return low < hashes.count && hashes[low] == hash ? low : nil
    }
}
