// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine
import Testing

/// Records with the numbers of a book: whatever was recorded comes back, and nothing else becomes more than it may.
extension Fuzzing {
    @Suite struct `A record with phrases` {
        /// Of what a decoder puts together: the largest frame, and the text of an object as large, all of it escaped.
        private static let largest = 24 << 20

        private static func event(_ members: String) -> [UInt8] {
            Array((#"{"acsRegion":"cn-hangzhou","apiVersion":"2014-05-26",\#(members),"serviceName":"Ecs"}"#).utf8)
        }

        private static func identifier(_ number: Int) -> String { "F90B88B7-7C24-566C-DB7F-22D28A3B\(1000 + number)" }

        private static func list(_ count: Int, _ element: (Int) -> String) -> String {
            "[" + (0..<count).map { "\"\(element($0))\"" }.joined(separator: ",") + "]"
        }

        /// Too long for files of the corpus.
        private static let long: [[UInt8]] = [
            event(#""ids":\#(list(300, identifier)),"again":\#(list(300, identifier))"#),
            event(#""values":\#(list(300) { "a value of some length \($0)" }),"again":"a value of some length 299""#),
            event(#""both":\#(list(255, identifier)),"last":"a value of some length","more":\#(list(3, identifier))"#),
            event(
                #""Data":"\#(String(repeating: "long ", count: 60_000))","more":"\#(String(repeating: "long ", count: 60_000))""#),
            event(#""requestParameters":{"d":"\#(String(repeating: "\\\"", count: 40_000))"}"#),
            event(#""numbers":[\#((0..<2000).map { "\($0 * 37)" }.joined(separator: ","))]"#),
            Array(String(repeating: "1\"\"", count: 3000).utf8),
        ]

        @Test func `is put together byte for byte`() async throws {
            let writer = PhraseWriter(book: .fuzz)
            try await Fuzzer(name: "phrases", kind: .json, made: Self.long, tries: 4000).run { input in
                let parts = try Self.partCount(input)
                let coded = CodedRecord(input, writer)
                if let coded {
                    try demand(coded.bytes.count + coded.identifiers.count < input.count, "a coded record is smaller")
                    try demand(coded.identifiers.count <= 255 * 16, "a byte counts the identifiers")
                    try demand(coded.decoded(with: .fuzz) == input, "a record is not put together again")
                }
                for dictionary in [FrameDictionary.fuzz, nil] {
                    var payload = FramePayload(account: "a", dictionary: dictionary)
                    for body in [input, [], input] {
                        body.withUnsafeBytes { payload.append($0, flags: .conflict, receivedDigest: nil) }
                    }
                    let records = try payload.prepared().decoded(with: dictionary)
                    try demand(records.map(\.bytes) == [input, [], input], "a record is not kept")
                    try demand(records.allSatisfy { $0.flags == .conflict }, "a flag is not kept")
                }
                // As if it were a coded record itself.
                let count = min(input.count / 16, 2) * 16
                let strange = CodedRecord(bytes: Array(input.dropLast(count)), identifiers: Array(input.suffix(count)))
                try demand(strange.decoded(with: .fuzz)?.count ?? 0 <= Self.largest, "more is put together than may be")
                let saved = coded.map { (input.count - $0.bytes.count) / 30 }
                return "\(saved ?? -1) \((coded?.identifiers.count ?? 0) / 16) \(min(parts, 20))"
            }
        }

        /// Parts lie side by side, and are all of it.
        private static func partCount(_ input: [UInt8]) throws -> Int {
            try input.withUnsafeBytes { bytes in
                var parts = RecordParts(bytes)
                var count = 0
                var end = 0
                var isOver = false
                while let part = parts.next() {
                    try demand(!isOver && part.phrase.lowerBound == end, "a phrase is not where the last part ends")
                    end = part.phrase.upperBound
                    if let value = part.value {
                        try demand(value.lowerBound == end, "a value is not where its phrase ends")
                        end = value.upperBound
                    } else {
                        isOver = true
                    }
                    count += 1
                }
                try demand(isOver && end == bytes.count, "parts are not the whole")
                return count
            }
        }

        /// How many identifiers there are (1 byte), a coded record, its identifiers.
        @Test func `is put together within bounds, or refused`() async throws {
            let writer = PhraseWriter(book: .fuzz)
            let made = (PhraseBook.sampleBodies[..<3] + Self.long).compactMap { body -> [UInt8]? in
                guard body.count < 20_000, let coded = CodedRecord(body, writer) else { return nil }
                return [UInt8(coded.identifiers.count / 16)] + coded.bytes + coded.identifiers
            }
            try await Fuzzer(name: "phrase-code", kind: .binary, made: made, tries: 6000).run { input in
                let rest = Array(input.dropFirst())
                let identifiers = Array(rest.suffix(Int(input.first ?? 0) * 16))
                let coded = CodedRecord(bytes: Array(rest.dropLast(identifiers.count)), identifiers: identifiers)
                guard let body = coded.decoded(with: .fuzz) else { return "refused" }
                try demand(body.count <= Self.largest, "more is put together than may be")
                let again = CodedRecord(body, writer)
                if let again, body.count <= 4 << 20 {
                    try demand(again.decoded(with: .fuzz) == body, "a record is not put together again")
                }
                return "\(again != nil) \(identifiers.count / 16) \(min(body.count / 40, 30))"
            }
        }

        /// A book as a dictionary's file has it.
        @Test func `has any book that is not refused`() async throws {
            let made = [PhraseBook.fuzz.encoded, PhraseBook(phrases: [], values: []).encoded]
            try await Fuzzer(name: "phrase-book", kind: .binary, made: made, tries: 1500).run { input in
                func decode(_ bytes: [UInt8]) throws -> (book: PhraseBook, length: Int) {
                    try bytes.withUnsafeBytes { buffer in
                        var reader = ByteReader(buffer)
                        let book = try PhraseBook(decoding: &reader)
                        return (book, reader.offset)
                    }
                }
                guard let (book, length) = try unlessRefused(FormatError.self, { try decode(input) }) else { return "refused" }
                let encoded = book.encoded
                try demand(encoded.count <= length, "a book is written in more bytes than it was read from")
                try demand(try decode(encoded).book.encoded == encoded, "a book is not written as it was read")
                let writer = PhraseWriter(book: book)
                var taken = 0
                for body in PhraseBook.sampleBodies[..<3] + [input] {
                    guard let coded = CodedRecord(body, writer) else { continue }
                    try demand(coded.decoded(with: book) == body, "a record is not put together again")
                    taken += 1
                }
                return "\(min(book.phrases.count, 30)) \(min(book.values.count, 10)) \(taken) \(length == input.count)"
            }
        }
    }
}
