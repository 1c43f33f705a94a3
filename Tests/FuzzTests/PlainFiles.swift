// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import KeyManagement
import LogEngine

extension ServiceKey {
    /// What everything here is sealed under: an input that was kept can be opened in the next run.
    static let fuzz = ServiceKey(
        id: UUID(uuidString: "00112233-4455-6677-8899-AABBCCDDEEFF")!, key: SymmetricKey(data: Array(UInt8(0)..<32)))
}

/// Twenty digits, as in the names of files.
func paddedNumber(_ number: UInt64) -> String {
    let digits = String(number)
    return String(repeating: "0", count: 20 - digits.utf8.count) + digits
}

/// A segment without seals and without what follows from the rest, so that a change to it reaches the decoders.
///
/// Source: docs/formats/segment.md.
struct PlainSegment {
    struct Block {
        var kind: UInt8
        var first: Int64
        var last: Int64
        /// Of a filter page: empty for one that says "maybe" to every key.
        var raw: [UInt8]
    }

    static let filterKind: UInt8 = 4
    static let footerKind: UInt8 = 5
    static let wordsKind: UInt8 = 6

    var rowCount: UInt32 = 0
    var low: Int64 = 0
    var high: Int64 = 0
    var filterPages: UInt8 = 1
    var blocks: [Block] = []

    /// The name of its file.
    func name(first: UInt64 = 0) -> String {
        "\(paddedNumber(first))-\(paddedNumber(first + UInt64(rowCount))).segment"
    }

    // MARK: As an input

    var input: [UInt8] {
        var writer = ByteWriter()
        writer.put(rowCount)
        writer.put(low)
        writer.put(high)
        writer.put(filterPages)
        for block in blocks {
            writer.put(block.kind)
            writer.put(block.first)
            writer.put(block.last)
            writer.put(UInt16(block.raw.count))
            writer.bytes += block.raw
        }
        return writer.bytes
    }

    /// Reads as far as it goes: each input is some segment.
    static func read(_ input: [UInt8]) -> PlainSegment {
        var segment = PlainSegment()
        input.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            segment.rowCount = (try? reader.get(UInt32.self)) ?? 0
            segment.low = (try? reader.get(Int64.self)) ?? 0
            segment.high = (try? reader.get(Int64.self)) ?? 0
            segment.filterPages = (try? reader.get(UInt8.self)) ?? 0
            while let kind = try? reader.get(UInt8.self), let first = try? reader.get(Int64.self),
                let last = try? reader.get(Int64.self), let length = try? reader.get(UInt16.self)
            {
                let count = min(Int(length), reader.remaining)
                guard let raw = try? reader.take(count) else { break }
                segment.blocks.append(Block(kind: 1 + (kind &- 1) % 6, first: first, last: last, raw: [UInt8](raw)))
            }
        }
        return segment
    }

    // MARK: As a file

    func footer(sealedLengths: [Int], first: UInt64 = 0) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(first)
        writer.putVarint(UInt64(rowCount))
        writer.put(low)
        writer.put(high)
        writer.put(Int64(0))
        writer.put(UInt64(0))
        writer.putVarint(Int(filterPages))
        writer.putVarint(blocks.count)
        var previous: Int64 = 0
        for (block, sealedLength) in zip(blocks, sealedLengths) {
            writer.put(block.kind)
            writer.putVarint(sealedLength)
            writer.putVarint(Self.content(block).count)
            writer.putZigzag(block.first &- previous)
            writer.putZigzag(block.last &- block.first)
            previous = block.first
        }
        return writer.bytes
    }

    private static func content(_ block: Block) -> [UInt8] {
        block.kind == filterKind && block.raw.isEmpty ? [UInt8](repeating: 0xFF, count: 1 << 15) : block.raw
    }

    /// - Parameter first: its first sequence.
    func sealed(first: UInt64 = 0) throws -> [UInt8] {
        let envelope = try FileEnvelope(magic: "CRNSEGM2", key: ServiceKey.fuzz)
        var file = envelope.header
        var lengths: [Int] = []
        for (number, block) in blocks.enumerated() {
            let sealed = try Self.seal(Self.content(block), kind: block.kind, number: number, envelope)
            lengths.append(sealed.count)
            file += sealed
        }
        let footer = footer(sealedLengths: lengths, first: first)
        let sealed = try Self.seal(footer, kind: Self.footerKind, number: blocks.count, envelope)
        var trailer = ByteWriter()
        trailer.put(UInt64(file.count))
        trailer.put(UInt32(sealed.count))
        trailer.put(UInt32(footer.count))
        trailer.put(UInt32(blocks.count))
        trailer.put(FileEnvelope.checksum(trailer.bytes))
        trailer.put(UInt64(0x3144_4E45_4753_5243))
        return file + sealed + trailer.bytes
    }

    private static func seal(_ raw: [UInt8], kind: UInt8, number: Int, _ envelope: FileEnvelope) throws -> [UInt8] {
        let compressed = raw.withUnsafeBytes { Zstd.compress($0, dictionary: nil) }
        var nonce = ByteWriter()
        nonce.put(UInt64(number))
        nonce.put(UInt32(0))
        var extra = ByteWriter(bytes: [kind])
        extra.put(UInt32(raw.count))
        return [UInt8](
            envelope.seal(compressed, nonce: try AES.GCM.Nonce(data: nonce.bytes), authenticating: extra.bytes))
    }

    // MARK: A sound one

    /// Rows a millisecond apart; field 1 has a term for each of the first rows, field 2 one term that all rows have. Any word
    /// may be in every other block of rows.
    static func made(rows count: Int) -> PlainSegment {
        var segment = PlainSegment(rowCount: UInt32(count), low: 0, high: Int64(count - 1))
        for start in stride(from: 0, to: count, by: 4096) {
            let end = min(count, start + 4096)
            var block = ByteWriter()
            for row in start..<end {
                block.putVarint(UInt64(row == start ? 0 : 1))
                block.putZigzag(row == start ? Int64(start) : 0)
            }
            segment.blocks.append(Block(kind: 1, first: Int64(start), last: Int64(end - 1), raw: block.bytes))
        }
        let firstChunk = segment.blocks.count
        let rows = (0..<count).map { UInt32($0) }
        if count > 8192 {
            for start in stride(from: 0, to: count, by: 8192) {
                let chunk = rows[start..<min(count, start + 8192)]
                var block = ByteWriter()
                Postings.encode(chunk, into: &block)
                segment.blocks.append(Block(kind: 3, first: Int64(start), last: Int64(chunk.endIndex - 1), raw: block.bytes))
            }
        }
        var terms = ByteWriter()
        for row in 0..<min(count, 40) {
            terms.putVarint(UInt64(row == 0 ? 0 : 1000))
            terms.putVarint(row << 2 | 1)
        }
        let field: Int64 = 1 << 40
        segment.blocks.append(Block(kind: 2, first: field, last: field + 39_000, raw: terms.bytes))
        terms = ByteWriter()
        terms.putVarint(UInt64(0))
        if count > 8192 {
            terms.putVarint(count << 2 | 2)
            terms.putVarint(firstChunk)
            terms.putVarint(segment.blocks.count - 1 - firstChunk)
        } else {
            var list = ByteWriter()
            Postings.encode(rows, into: &list)
            terms.putVarint(count << 2)
            terms.putVarint(list.bytes.count)
            terms.bytes += list.bytes
        }
        segment.blocks.append(Block(kind: 2, first: 2 * field + 7, last: 2 * field + 7, raw: terms.bytes))
        var words = ByteWriter()
        for start in stride(from: 0, to: count, by: 128) {
            let rows = min(128, count - start)
            words.putVarint(rows)
            words.putVarint(1)
            words.putZigzag(0)
            words.putVarint(rows - 1)
        }
        let open = stride(from: 0, to: (count + 127) / 128, by: 2).map { UInt32($0) }
        var list = ByteWriter()
        Postings.encode(open, into: &list)
        terms = ByteWriter()
        terms.putVarint(UInt64(0))
        terms.putVarint(open.count << 2)
        terms.putVarint(list.bytes.count)
        terms.bytes += list.bytes
        segment.blocks.append(Block(kind: 2, first: 255 * field, last: 255 * field, raw: terms.bytes))
        segment.blocks.append(Block(kind: Self.wordsKind, first: 0, last: 0, raw: words.bytes))
        segment.blocks.append(Block(kind: Self.filterKind, first: 0, last: 0, raw: []))
        return segment
    }
}

/// A journal file without seals and without what follows from the rest. Source: docs/formats/journal.md.
struct PlainJournal {
    struct Part {
        /// An index ends the file, unless something follows it.
        var isIndex: Bool
        var recordCount: UInt16
        /// Sequences that are left out before it; only with the lowest bit of `flags`.
        var gap: UInt8
        /// 1: after a gap; 2: names a dictionary that is not there; 4: more of the commit follows.
        var flags: UInt8
        /// Of an index: empty for a true one.
        var payload: [UInt8]
    }

    var parts: [Part] = []

    var input: [UInt8] {
        var writer = ByteWriter()
        for part in parts {
            writer.put(part.isIndex ? UInt8(3) : 0)
            writer.put(part.recordCount)
            writer.put(part.gap)
            writer.put(part.flags)
            writer.put(UInt16(part.payload.count))
            writer.bytes += part.payload
        }
        return writer.bytes
    }

    /// Reads as far as it goes: each input is some journal file.
    static func read(_ input: [UInt8]) -> PlainJournal {
        var journal = PlainJournal()
        input.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            while let kind = try? reader.get(UInt8.self), let recordCount = try? reader.get(UInt16.self),
                let gap = try? reader.get(UInt8.self), let flags = try? reader.get(UInt8.self),
                let length = try? reader.get(UInt16.self)
            {
                let count = min(Int(length), reader.remaining)
                guard let payload = try? reader.take(count) else { break }
                journal.parts.append(
                    Part(isIndex: kind % 4 == 3, recordCount: recordCount, gap: gap, flags: flags, payload: [UInt8](payload)))
            }
        }
        return journal
    }

    func sealed() throws -> [UInt8] {
        let envelope = try FileEnvelope(magic: "CRNJRNL1", key: ServiceKey.fuzz)
        var file = envelope.header
        var sequence: UInt64 = 0
        var commit = file.count
        var frames: [(sequence: UInt64, offset: Int, length: Int)] = []
        for part in parts.prefix(64) {
            let offset = file.count
            let first = sequence + (part.flags & 1 == 1 ? UInt64(part.gap) : 0)
            guard !part.isIndex else {
                let index = part.payload.isEmpty ? Self.index(frames) : part.payload
                file += try Self.frame(index, magic: 0x3158_4449, records: 0, first: first, place: 0x8000_0000, envelope)
                var trailer = ByteWriter()
                trailer.put(UInt64(offset))
                trailer.put(FileEnvelope.checksum(trailer.bytes))
                trailer.put(UInt64(0x3144_4E45_4E4A_5243))
                file += trailer.bytes
                continue
            }
            // As many as the payload could hold, or one more: what is left out of the log is indexed too, and takes its time.
            let records = UInt32(part.recordCount) % UInt32(part.payload.count + 2)
            let place = UInt32(offset - commit) | (part.flags & 4 == 0 ? 0x8000_0000 : 0)
            let frame = try Self.frame(
                part.payload, magic: 0x314D_5246, records: records, first: first, place: place,
                dictionary: part.flags & 2 == 2 ? 9 : 0, envelope)
            file += frame
            frames.append((first, offset, frame.count))
            sequence = first + UInt64(records)
            if part.flags & 4 == 0 { commit = file.count }
        }
        return file
    }

    private static func frame(
        _ payload: [UInt8], magic: UInt32, records: UInt32, first: UInt64, place: UInt32, dictionary: UInt32 = 0,
        _ envelope: FileEnvelope
    ) throws -> [UInt8] {
        let compressed = payload.withUnsafeBytes { Zstd.compress($0, dictionary: nil) }
        var header = ByteWriter()
        header.put(magic)
        header.put(UInt32(compressed.count + 16))
        header.put(records)
        header.put(UInt32(payload.count))
        header.put(first)
        header.put(Int64(1000))
        header.put(dictionary)
        header.put(place)
        let nonce = AES.GCM.Nonce()
        return header.bytes + Array(nonce) + [UInt8](envelope.seal(compressed, nonce: nonce, authenticating: header.bytes))
    }

    private static func index(_ frames: [(sequence: UInt64, offset: Int, length: Int)]) -> [UInt8] {
        var writer = ByteWriter()
        writer.putVarint(frames.count)
        var last: (sequence: UInt64, offset: Int) = (0, 0)
        for frame in frames {
            writer.putVarint(frame.sequence - last.sequence)
            writer.putVarint(frame.offset - last.offset)
            writer.putVarint(frame.length)
            last = (frame.sequence, frame.offset)
        }
        return writer.bytes
    }

    /// Frames of an account with these bodies.
    static func payload(_ bodies: [String]) -> [UInt8] {
        var table = ByteWriter()
        table.put("anna")
        for body in bodies {
            table.putVarint(body.utf8.count)
            table.put(UInt8(0))
        }
        return table.bytes + bodies.flatMap { Array($0.utf8) }
    }

    static func made(isFinished: Bool) -> PlainJournal {
        var journal = PlainJournal()
        for number in 0..<4 {
            let bodies = (0..<3).map { #"{"eventId":"id-\#(number)-\#($0)-12345678","n":\#($0)}"# }
            journal.parts.append(
                Part(isIndex: false, recordCount: 3, gap: 0, flags: number == 1 ? 4 : 0, payload: payload(bodies)))
        }
        if isFinished { journal.parts.append(Part(isIndex: true, recordCount: 0, gap: 0, flags: 0, payload: [])) }
        return journal
    }
}
