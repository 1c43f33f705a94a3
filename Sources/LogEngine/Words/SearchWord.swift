// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A word that is looked for in any place of a record.
public struct SearchWord: Sendable, Hashable {
    /// In lower case.
    let text: [UInt8]
    let hash: UInt32
    /// The word as a value of the unique field, in the forms that ``FrameWords`` leaves out.
    let uniqueHashes: [UInt64]

    /// The words of a text, each once. A person writes `CORP\alice` where the record has `CORP\\alice`.
    static func words(of text: String, hasher: WordHasher, unique: (String) -> UInt64) -> [SearchWord] {
        var found: [SearchWord] = []
        let bytes = Array(text.utf8)
        bytes.withUnsafeBytes { buffer in
            hasher.forEachWord(in: buffer, hasEscapes: false) { hash, range in
                let lower = buffer[range].map { WordHasher.lowercase($0) }
                guard !found.contains(where: { $0.text == lower }) else { return }
                var hashes: [UInt64] = []
                var parsed = [UInt8](repeating: 0, count: Identifier.size)
                if lower.withUnsafeBytes({ Identifier.parse($0, into: &parsed) }) != nil {
                    let id = String(decoding: lower, as: UTF8.self)
                    hashes = [unique(id), unique(id.uppercased())]
                }
                found.append(SearchWord(text: lower, hash: hash, uniqueHashes: hashes))
            }
        }
        return found
    }
}

extension LogEngine {
    /// How many words a text has to look for, repeats counted.
    public static func wordCount(_ text: String) -> Int { text.utf8.split(whereSeparator: WordHasher.isDelimiter).count }

    /// The words of what a person looks for in records of an account: what delimiters part is looked for each by itself.
    public func words(of text: String, account: String) -> [SearchWord] {
        let terms = hasher(account: account)
        return SearchWord.words(of: text, hasher: wordHasher) { terms.hash(field: settings.uniqueField, value: $0) }
    }

    /// Whether a record has all of the words, compared byte by byte but for the case of `A` to `Z`.
    public func has(_ words: [SearchWord], _ record: UnsafeRawBufferPointer) -> Bool {
        var missing = words
        guard !missing.isEmpty else { return true }
        wordHasher.forEachWord(in: record) { hash, range in
            // Two words may have one hash.
            let index = missing.firstIndex { word in
                word.hash == hash && word.text.count == range.count
                    && zip(word.text, record[range]).allSatisfy { $0 == WordHasher.lowercase($1) }
            }
            if let index { missing.remove(at: index) }
        }
        return missing.isEmpty
    }
}
