// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What the records of a store have in common: phrases (the text between two values) and values that come again and again.
///
/// Part of a ``FrameDictionary``; records are written with the numbers of both. Source: docs/formats/journal.md.
package struct PhraseBook: Sendable {
    /// Numbers that one and two bytes can say, see ``PhraseCode``.
    package static let phraseLimit = PhraseCode.shortPhrases + PhraseCode.longPhrases
    package static let valueLimit = PhraseCode.valuePages * 256

    /// Most frequent first.
    package let phrases: PhraseTable
    package let values: PhraseTable
    /// With which phrase most records begin, and which mostly follows a value behind each phrase; nil if none is known.
    let first: Int?
    let following: [Int?]
    /// The value that mostly stands behind each phrase.
    let usual: [Int?]

    /// - Parameters:
    ///   - following: one more than there are phrases, the first one for the beginning; all nil if it is missing.
    ///   - usual: one for each phrase, likewise.
    package init(phrases: [[UInt8]], values: [[UInt8]], following: [Int?] = [], usual: [Int?] = []) {
        precondition(phrases.count <= Self.phraseLimit && values.count <= Self.valueLimit, "numbers have two bytes")
        self.phrases = PhraseTable(phrases)
        self.values = PhraseTable(values)
        first = following.first ?? nil
        self.following = following.isEmpty ? Array(repeating: nil, count: phrases.count) : Array(following.dropFirst())
        self.usual = usual.isEmpty ? Array(repeating: nil, count: phrases.count) : usual
        precondition(self.following.count == phrases.count && self.usual.count == phrases.count, "one for each phrase")
    }

    package var isEmpty: Bool { phrases.count == 0 && values.count == 0 }

    // MARK: Making

    private static let longestEntry = 1 << 10
    private static let bytesLimit = 1 << 20

    /// A book of what bodies have in common: everything found in three places or more, most frequent first.
    package init(from bodies: [[UInt8]]) {
        var phrases = PhraseCounts()
        var values = PhraseCounts()
        /// For each body the number of each phrase and of the value behind it, -1 for none.
        var runs: [[(phrase: Int, value: Int)]] = []
        for body in bodies {
            body.withUnsafeBytes { bytes in
                var run: [(phrase: Int, value: Int)] = []
                var parts = RecordParts(bytes)
                while let part = parts.next() {
                    let phrase = phrases.add(UnsafeRawBufferPointer(rebasing: bytes[part.phrase]))
                    let value = part.value.map { $0.count > 1 ? values.add(UnsafeRawBufferPointer(rebasing: bytes[$0])) : -1 }
                    run.append((phrase, value ?? -1))
                }
                runs.append(run)
            }
        }
        let best = phrases.best(limit: Self.phraseLimit, longest: Self.longestEntry, bytesLimit: Self.bytesLimit)
        let bestValues = values.best(limit: Self.valueLimit, longest: Self.longestEntry, bytesLimit: Self.bytesLimit)
        func numbers(_ best: [Int], of count: Int) -> [Int?] {
            var numbers = [Int?](repeating: nil, count: count)
            for (number, entry) in best.enumerated() { numbers[entry] = number }
            return numbers
        }
        let phraseNumbers = numbers(best, of: phrases.counts.count)
        let valueNumbers = numbers(bestValues, of: values.counts.count)
        // 0 for the beginning, else a phrase's number and one.
        var following: [[Int: Int]] = Array(repeating: [:], count: best.count + 1)
        var usual: [[Int: Int]] = Array(repeating: [:], count: best.count)
        for run in runs {
            var last: Int? = 0
            for part in run {
                let phrase = phraseNumbers[part.phrase]
                if let last, let phrase { following[last][phrase, default: 0] += 1 }
                if let phrase, part.value >= 0, let value = valueNumbers[part.value] { usual[phrase][value, default: 0] += 1 }
                last = phrase.map { $0 + 1 }
            }
        }
        func most(_ counts: [Int: Int]) -> Int? { counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key }
        self.init(
            phrases: best.map { Array(phrases.string($0)) }, values: bestValues.map { Array(values.string($0)) },
            following: following.map(most), usual: usual.map(most))
    }

    // MARK: On disk

    /// Phrases, then values: count varint, then length varint and bytes of each. Then for the beginning and for each phrase
    /// the one that mostly follows, varint: its number and one, or 0; then likewise for each phrase its usual value.
    package var encoded: [UInt8] {
        var writer = ByteWriter()
        for table in [phrases, values] {
            writer.putVarint(table.count)
            for number in 0..<table.count {
                table.withBytes(of: number) { bytes in
                    writer.putVarint(bytes.count)
                    writer.bytes.append(contentsOf: bytes)
                }
            }
        }
        for next in [first] + following + usual { writer.putVarint(next.map { $0 + 1 } ?? 0) }
        return writer.bytes
    }

    package init(decoding reader: inout ByteReader) throws(FormatError) {
        func table(_ limit: Int) throws(FormatError) -> [[UInt8]] {
            let count = try reader.getCount()
            guard count <= limit else { throw .truncated }
            var strings: [[UInt8]] = []
            for _ in 0..<count { strings.append(Array(try reader.take(try reader.getCount()))) }
            return strings
        }
        let phrases = try table(Self.phraseLimit)
        let values = try table(Self.valueLimit)
        func numbers(_ count: Int, below limit: Int) throws(FormatError) -> [Int?] {
            var numbers: [Int?] = []
            for _ in 0..<count {
                let next = try reader.getCount()
                guard next <= limit else { throw .truncated }
                numbers.append(next == 0 ? nil : next - 1)
            }
            return numbers
        }
        let following = try numbers(phrases.count + 1, below: phrases.count)
        let usual = try numbers(phrases.count, below: values.count)
        self.init(phrases: phrases, values: values, following: following, usual: usual)
    }
}
