// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Which words the records of a frame have; a word that is not here is in none of them.
///
/// Ids are left out: a value behind the unique key of the outermost object that has the form of a UUID is found by its
/// field.
struct FrameWords: Sendable {
    /// Of more others than this, half of them different ones, none is kept: any word may then be in it.
    static let othersLimit = 1 << 14

    /// Whose words `known` counts.
    let dictionary: FrameDictionary?
    /// A bit for each word of the dictionary's book.
    private(set) var known: [UInt64]
    /// Hashes of other words, with repeats.
    private(set) var others: [UInt32] = []
    /// Any word may be in it.
    private(set) var isOpen = false

    let hasher: WordHasher
    /// A bit for each entry of the book that occurs, until ``finish()``.
    private var seenPhrases: [UInt64]
    private var seenValues: [UInt64]
    private var lastPhrase: Int?
    /// How many objects and arrays the record at hand is in; those of the phrases are the dictionary's.
    private var depth = 0
    private let depthChanges: [Int]

    init(dictionary: FrameDictionary?, hasher: WordHasher) {
        func bits(_ count: Int?) -> [UInt64] { [UInt64](repeating: 0, count: ((count ?? 0) + 63) / 64) }
        self.dictionary = dictionary
        self.hasher = hasher
        known = bits(dictionary?.words.hashes.count)
        seenPhrases = bits(dictionary?.book.phrases.count)
        seenValues = bits(dictionary?.book.values.count)
        depthChanges = dictionary?.words.depthChanges ?? []
    }

    /// Adds the words of a record as it was given; some of its tokens may have been added before.
    mutating func add(plain bytes: UnsafeRawBufferPointer) {
        add(bytes, 0..<bytes.count)
        endRecord()
    }

    /// Adds the words of a record that was written with the book.
    ///
    /// - Parameter identifiers: of the record, 16 bytes each.
    mutating func add(coded bytes: UnsafeRawBufferPointer, identifiers: UnsafeRawBufferPointer) {
        defer { endRecord() }
        guard let dictionary else { return isOpen = true }
        var tokens = PhraseTokens(bytes)
        var identifier = 0
        while let token = tokens.next() {
            switch token {
            case .phrase(let number) where number >= dictionary.book.phrases.count: return isOpen = true
            case .value(let number) where number >= dictionary.book.values.count: return isOpen = true
            case .identifier(let letters):
                guard identifier + Identifier.size <= identifiers.count else { return isOpen = true }
                let parsed = UnsafeRawBufferPointer(rebasing: identifiers[identifier..<identifier + Identifier.size])
                withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Identifier.textLength) { text in
                    Identifier.write(parsed, letters, into: text.baseAddress!)
                    add(token, UnsafeRawBufferPointer(text), 0..<Identifier.textLength)
                }
                identifier += Identifier.size
            default: add(token, bytes, 0..<0)
            }
        }
    }

    /// Adds the words of one token; its ranges are of `bytes`, and for an identifier `text` is one.
    @inline(__always)
    mutating func add(_ token: PhraseTokens.Token, _ bytes: UnsafeRawBufferPointer, _ text: Range<Int>) {
        switch token {
        case .phrase(let number):
            seenPhrases[number >> 6] |= 1 << UInt64(number & 63)
            lastPhrase = number
            depth += depthChanges[number]
        case .value(let number): seenValues[number >> 6] |= 1 << UInt64(number & 63)
        case .literalPhrase(let range):
            add(bytes, range)
            lastPhrase = nil
            depth += BookWords.depthChange(of: UnsafeRawBufferPointer(rebasing: bytes[range]))
        case .literalValue(let range): add(bytes, range)
        case .identifier:
            if depth == 1, let lastPhrase, let dictionary, dictionary.words.precedesUnique[lastPhrase] { return }
            add(bytes, text)
        case .earlierValue, .text: break
        }
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        guard !isOpen else { return }
        hasher.forEachWord(in: UnsafeRawBufferPointer(rebasing: bytes[range])) { hash, _ in others.append(hash) }
    }

    mutating func endRecord() {
        lastPhrase = nil
        depth = 0
        closeIfTooMany()
    }

    /// Repeats are taken out only where there are many, for that costs more than they do.
    private mutating func closeIfTooMany() {
        guard others.count > Self.othersLimit else { return }
        others.sort()
        var count = 0
        for hash in others where count == 0 || others[count - 1] != hash {
            others[count] = hash
            count += 1
        }
        others.removeLast(others.count - count)
        // Half as many again may come before it is worth looking once more.
        guard others.count > Self.othersLimit / 2 else { return }
        others = []
        isOpen = true
    }

    /// Ends adding.
    mutating func finish() {
        defer { (seenPhrases, seenValues) = ([], []) }
        guard let words = dictionary?.words else { return }
        for (seen, lists) in [(seenPhrases, words.phrases), (seenValues, words.values)] {
            for (index, word) in seen.enumerated() {
                var rest = word
                while rest != 0 {
                    for number in lists[index << 6 + rest.trailingZeroBitCount] {
                        known[Int(number) >> 6] |= 1 << UInt64(number & 63)
                    }
                    rest &= rest &- 1
                }
            }
        }
    }

    /// Takes in the words of another frame that has the same dictionary.
    mutating func merge(_ other: FrameWords) {
        for index in known.indices { known[index] |= other.known[index] }
        isOpen = isOpen || other.isOpen
        others = isOpen ? [] : others + other.others
        closeIfTooMany()
    }

    /// - Parameter number: of a word in the book, nil for one that is not in it.
    func hasKnown(_ number: Int?) -> Bool {
        number.map { known[$0 >> 6] >> UInt64($0 & 63) & 1 == 1 } ?? false
    }

    func hasOther(_ hash: UInt32) -> Bool {
        others.withUnsafeBufferPointer { others in
            var isThere = false
            for other in others { isThere = isThere || other == hash }
            return isThere
        }
    }

    /// Visits the hash of each word, with repeats.
    func forEachWord(_ visit: (UInt32) -> Void) {
        for hash in others { visit(hash) }
        guard let words = dictionary?.words else { return }
        for (index, word) in known.enumerated() {
            var rest = word
            while rest != 0 {
                visit(words.hashes[index << 6 + rest.trailingZeroBitCount])
                rest &= rest &- 1
            }
        }
    }
}
