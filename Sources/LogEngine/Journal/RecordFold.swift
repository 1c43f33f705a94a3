// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CMemory

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Takes out of a JSON record what it says twice, and puts it back byte for byte. Source: docs/formats/journal.md.
///
/// ActionTrail's records hold their parameters as an object and once more as a text of that object, and their id again as
/// the id of the request. Compression finds such repeats only in pieces, as each quotation mark of the text is escaped:
/// taking them out first makes a record a fifth smaller on disk and costs a third of the processor time that compressing
/// them does.
///
/// Two bytes that no JSON has stand in for what was taken out:
///
/// - `0x02`: the value of the first `"eventId":"…"`;
/// - `0x01`, at most once: the first object after `"requestParameters":`, escaped as a JSON text.
enum RecordFold {
    private static let textMark: UInt8 = 1
    private static let idMark: UInt8 = 2
    /// Shorter records have nothing to gain.
    private static let shortest = 128
    private static let idLengths = 8...64

    private static let idKey = Array(#""eventId":""#.utf8)
    private static let textKey = Array(#""requestParameterJson":""#.utf8)
    private static let objectKey = Array(#""requestParameters":{"#.utf8)
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    /// Nil for a record that stays as it is. What is given back has been put back once, and was the same.
    static func fold(_ body: UnsafeRawBufferPointer) -> [UInt8]? {
        guard body.count >= shortest, body.place(of: textMark, from: 0) == nil, body.place(of: idMark, from: 0) == nil,
            let id = id(in: body)
        else { return nil }
        let text = repeatedText(in: body)
        var folded: [UInt8] = []
        folded.reserveCapacity(body.count)
        var cursor = 0
        var isTextDue = text != nil
        func take(upTo end: Int) { folded.append(contentsOf: UnsafeRawBufferPointer(rebasing: body[cursor..<end])) }
        let needle = UnsafeRawBufferPointer(rebasing: body[id])
        var from = id.upperBound
        while true {
            let next = body.place(of: needle, from: from)
            if isTextDue, let text, next.map({ text.lowerBound <= $0 + needle.count }) ?? true {
                take(upTo: text.lowerBound)
                folded.append(textMark)
                cursor = text.upperBound
                from = max(from, cursor)
                isTextDue = false
            } else if let next {
                take(upTo: next)
                folded.append(idMark)
                cursor = next + needle.count
                from = cursor
            } else {
                break
            }
        }
        take(upTo: body.count)
        guard folded.count < body.count else { return nil }
        let isSame = folded.withUnsafeBytes { unfold($0) }.map { plain in
            plain.count == body.count && memcmp(plain, body.baseAddress!, body.count) == 0
        }
        return isSame == true ? folded : nil
    }

    /// Nil for what ``fold(_:)`` never makes.
    static func unfold(_ folded: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let plain = withIds(folded) else { return nil }
        return plain.withUnsafeBytes { bytes -> [UInt8]?? in
            guard let mark = bytes.place(of: textMark, from: 0) else { return .some(nil) }
            guard let object = object(in: bytes) else { return .none }
            // Each byte of the object is escaped at most once.
            return [UInt8](unsafeUninitializedCapacity: bytes.count + 2 * object.count) { whole, count in
                func put(_ part: Range<Int>) {
                    guard !part.isEmpty else { return }
                    memcpy(whole.baseAddress! + count, bytes.baseAddress! + part.lowerBound, part.count)
                    count += part.count
                }
                put(0..<mark)
                for byte in bytes[object] {
                    if byte == quote || byte == backslash {
                        whole[count] = backslash
                        count += 1
                    }
                    whole[count] = byte
                    count += 1
                }
                put(mark + 1..<bytes.count)
            }
        }.map { $0 ?? plain }
    }

    private static func withIds(_ folded: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let first = folded.place(of: idMark, from: 0) else { return Array(folded) }
        guard let id = id(in: folded) else { return nil }
        var plain: [UInt8] = []
        plain.reserveCapacity(folded.count + 16 * id.count)
        var cursor = 0
        var next: Int? = first
        while let mark = next {
            plain.append(contentsOf: UnsafeRawBufferPointer(rebasing: folded[cursor..<mark]))
            plain.append(contentsOf: UnsafeRawBufferPointer(rebasing: folded[id]))
            cursor = mark + 1
            next = folded.place(of: idMark, from: cursor)
        }
        plain.append(contentsOf: UnsafeRawBufferPointer(rebasing: folded[cursor...]))
        return plain
    }

    /// The value of the first id, if it is a plain one.
    private static func id(in bytes: UnsafeRawBufferPointer) -> Range<Int>? {
        guard let key = bytes.place(of: idKey, from: 0) else { return nil }
        let start = key + idKey.count
        guard let end = bytes.place(of: quote, from: start), idLengths.contains(end - start),
            !bytes[start..<end].contains(where: { $0 == backslash || $0 < 0x20 })
        else { return nil }
        return start..<end
    }

    /// The first object of parameters, brackets and all.
    private static func object(in bytes: UnsafeRawBufferPointer) -> Range<Int>? {
        guard let key = bytes.place(of: objectKey, from: 0) else { return nil }
        let start = key + objectKey.count - 1
        var depth = 0
        var isText = false
        var place = start
        while place < bytes.count {
            switch bytes[place] {
            case backslash where isText: place += 1
            case quote: isText.toggle()
            case UInt8(ascii: "{") where !isText: depth += 1
            case UInt8(ascii: "}") where !isText:
                depth -= 1
                if depth == 0 { return start..<place + 1 }
            default: break
            }
            place += 1
        }
        return nil
    }

    /// The text that is the object once more, without its quotation marks.
    private static func repeatedText(in body: UnsafeRawBufferPointer) -> Range<Int>? {
        guard let key = body.place(of: textKey, from: 0), let object = object(in: body) else { return nil }
        let start = key + textKey.count
        var place = start
        for byte in body[object] {
            if byte == quote || byte == backslash {
                guard place < body.count, body[place] == backslash else { return nil }
                place += 1
            }
            guard place < body.count, body[place] == byte else { return nil }
            place += 1
        }
        // Neither may lie within the other.
        guard place < body.count, body[place] == quote, !object.overlaps(start..<place) else { return nil }
        return start..<place
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func place(of byte: UInt8, from start: Int) -> Int? {
        guard start < count, let base = baseAddress, let found = memchr(base + start, Int32(byte), count - start) else {
            return nil
        }
        return UnsafeRawPointer(found) - base
    }

    fileprivate func place(of needle: [UInt8], from start: Int) -> Int? {
        needle.withUnsafeBytes { place(of: $0, from: start) }
    }

    fileprivate func place(of needle: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < count, let base = baseAddress,
            let found = memmem(base + start, count - start, needle.baseAddress!, needle.count)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }
}
