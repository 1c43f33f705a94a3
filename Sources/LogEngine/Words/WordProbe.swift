// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Looks for words in records as frames hold them, without putting them together: by hash.
///
/// What a book's phrases and values have of the words is found once, so that a record costs its tokens and the words of what
/// it has of its own.
struct WordProbe {
    private let hashes: [UInt32]
    private let hasher: WordHasher
    private let dictionary: FrameDictionary?
    /// A bit for each word that the entry has.
    private var phrases: [UInt64] = []
    private var values: [UInt64] = []

    /// - Parameter words: at most 64.
    init(_ words: [SearchWord], dictionary: FrameDictionary?, hasher: WordHasher) {
        precondition(words.count <= 64, "a bit each")
        hashes = words.map(\.hash)
        self.hasher = hasher
        self.dictionary = dictionary
        guard let book = dictionary?.words else { return }
        let numbers = hashes.map { book.number(of: $0) }
        func masks(_ entriesWithWord: NumberLists, _ count: Int) -> [UInt64] {
            var masks = [UInt64](repeating: 0, count: count)
            for (bit, number) in numbers.enumerated() {
                guard let number else { continue }
                for entry in entriesWithWord[number] { masks[Int(entry)] |= 1 << UInt64(bit) }
            }
            return masks
        }
        phrases = masks(book.phrasesWithWord, book.phrases.count)
        values = masks(book.valuesWithWord, book.values.count)
    }

    private var all: UInt64 { hashes.count == 64 ? .max : 1 << UInt64(hashes.count) - 1 }

    private func mask(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        var mask: UInt64 = 0
        hasher.forEachWord(in: bytes) { hash, _ in
            for (bit, wanted) in hashes.enumerated() where wanted == hash { mask |= 1 << UInt64(bit) }
        }
        return mask
    }

    func mayMatch(plain bytes: UnsafeRawBufferPointer) -> Bool { mask(of: bytes) == all }

    /// - Parameter identifiers: of the record, 16 bytes each.
    func mayMatch(coded bytes: UnsafeRawBufferPointer, identifiers: UnsafeRawBufferPointer) -> Bool {
        var found: UInt64 = 0
        var identifier = 0
        var tokens = PhraseTokens(bytes)
        while let token = tokens.next() {
            switch token {
            case .phrase(let number):
                guard number < phrases.count else { return true }
                found |= phrases[number]
            case .value(let number):
                guard number < values.count else { return true }
                found |= values[number]
            case .literalPhrase(let range), .literalValue(let range):
                found |= mask(of: UnsafeRawBufferPointer(rebasing: bytes[range]))
            case .identifier(let letters):
                guard identifier + Identifier.size <= identifiers.count else { return true }
                let parsed = UnsafeRawBufferPointer(rebasing: identifiers[identifier..<identifier + Identifier.size])
                found |= withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Identifier.textLength) { text in
                    Identifier.write(parsed, letters, into: text.baseAddress!)
                    return mask(of: UnsafeRawBufferPointer(text))
                }
                identifier += Identifier.size
            case .earlierValue, .text: break
            }
            if found == all { return true }
        }
        return false
    }
}

/// The probes of one search: one for each dictionary that it meets, and what they found in the last frames.
struct WordProbes {
    private let words: [SearchWord]
    private let hasher: WordHasher
    private var probes: [(dictionary: FrameDictionary?, probe: WordProbe, patterns: [CaselessPattern])] = []
    /// Frames met, ascending, for records come by time and lie in many frames at once, each with the records that may have
    /// what stands in none of the book's entries.
    private var frames: [(frame: DecodedFrame, records: [Bool])] = []
    /// A megabyte of frames.
    private static let frameLimit = 128

    init(_ words: [SearchWord], hasher: WordHasher) {
        self.words = words
        self.hasher = hasher
    }

    /// Whether a record may have all of the words.
    ///
    /// - Parameter read: the frame that holds a sequence.
    mutating func mayMatch(_ sequence: UInt64, read: (UInt64) throws -> DecodedFrame) rethrows -> Bool {
        guard (1...64).contains(words.count) else { return true }
        var place = frames.partitionPoint { $0.frame.firstSequence <= sequence } - 1
        if place < 0 || sequence - frames[place].frame.firstSequence >= UInt64(frames[place].frame.count) {
            place = remember(try read(sequence))
        }
        let frame = frames[place].frame
        let record = Int(sequence - frame.firstSequence)
        return frames[place].records[record] && frame.mayMatch(probes[number(for: frame.dictionary)].probe, record: record)
    }

    private mutating func remember(_ frame: DecodedFrame) -> Int {
        let patterns = probes[number(for: frame.dictionary)].patterns
        var records = [Bool](repeating: true, count: frame.count)
        for pattern in patterns { frame.keep(&records, with: pattern) }
        if frames.count == Self.frameLimit { frames.removeAll(keepingCapacity: true) }
        let place = frames.partitionPoint { $0.frame.firstSequence < frame.firstSequence }
        frames.insert((frame, records), at: place)
        return place
    }

    private mutating func number(for dictionary: FrameDictionary?) -> Int {
        if let known = probes.firstIndex(where: { $0.dictionary === dictionary }) { return known }
        // A word that is in no entry of the book, and is no identifier, stands in a frame as it is.
        let literal = words.filter { $0.uniqueHashes.isEmpty && dictionary?.words.number(of: $0.hash) == nil }
        probes.append(
            (dictionary, WordProbe(words, dictionary: dictionary, hasher: hasher), literal.map { CaselessPattern($0.text) }))
        return probes.count - 1
    }
}
