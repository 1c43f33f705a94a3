// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// A log as the bytes of a record; source: docs/formats/log.md.
///
/// ```
/// text*    topic, source, key and value of each tag, key and value of each field; behind each a byte 0
/// facts    behind the texts, for their beginning is then alike in many records
/// length   of the facts before they were made halves, u24
/// ```
/// Facts and length are written as half bytes, 0x00 to 0x0f, the lower half first: control characters, which part words and
/// are none.
///
/// ```
/// facts    flags u8 · time varint · [nanoseconds varint] · shard varint · [stream varint · position varint]
///          topic length varint · source length varint · tags varint · (key length varint · value length varint)*
///          fields varint · (key length varint · value length varint)*
/// flags    1: nanoseconds; 2: stream and position
/// ```
package struct LogRecord {
    private static let hasNanoseconds: UInt8 = 1
    private static let isDelivered: UInt8 = 2
    private static let lengthHalves = 6

    /// From where a trail's delivery took it.
    package struct Origin: Sendable, Equatable {
        /// Number of the delivery in this logstore.
        package var stream: UInt64
        package var position: UInt64

        package init(stream: UInt64, position: UInt64) {
            self.stream = stream
            self.position = position
        }
    }

    private(set) var view = LogView()
    private(set) var hasNanoseconds = false
    private(set) var shard = 0
    package private(set) var origin: Origin?
    private var facts: [UInt8] = []

    package init() {}

    // MARK: Writing

    package static func encode(_ log: Log, of group: LogGroup, shard: Int, origin: Origin?) -> [UInt8] {
        var texts: [UInt8] = []
        var facts = ByteWriter()
        func add(_ text: String) {
            texts += text.utf8
            texts.append(0)
        }
        facts.put((log.nanoseconds == nil ? 0 : hasNanoseconds) | (origin == nil ? 0 : isDelivered))
        facts.putVarint(UInt64(log.time))
        if let nanoseconds = log.nanoseconds { facts.putVarint(UInt64(nanoseconds)) }
        facts.putVarint(shard)
        if let origin {
            facts.putVarint(origin.stream)
            facts.putVarint(origin.position)
        }
        add(group.topic)
        facts.putVarint(group.topic.utf8.count)
        add(group.source)
        facts.putVarint(group.source.utf8.count)
        for fields in [group.tags, log.contents] {
            facts.putVarint(fields.count)
            for field in fields {
                add(field.key)
                facts.putVarint(field.key.utf8.count)
                add(field.value)
                facts.putVarint(field.value.utf8.count)
            }
        }
        texts.reserveCapacity(texts.count + 2 * facts.bytes.count + lengthHalves)
        for byte in facts.bytes { texts += [byte & 15, byte >> 4] }
        for half in 0..<lengthHalves { texts.append(UInt8(facts.bytes.count >> (4 * half) & 15)) }
        return texts
    }

    // MARK: Reading

    /// - Returns: false if these are not the bytes of a log; the record's parts then mean nothing.
    package mutating func read(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard readFacts(bytes) else { return false }
        let textEnd = bytes.count - Self.lengthHalves - 2 * facts.count
        return facts.withUnsafeBytes { buffer in
            do throws(FormatError) {
                var reader = ByteReader(buffer)
                let flags = try reader.get(UInt8.self)
                guard flags & ~(Self.hasNanoseconds | Self.isDelivered) == 0 else { return false }
                view.time = Int64(clamping: try reader.getVarint())
                hasNanoseconds = flags & Self.hasNanoseconds != 0
                view.nanoseconds = hasNanoseconds ? UInt32(clamping: try reader.getVarint()) : 0
                shard = try reader.getCount()
                origin =
                    flags & Self.isDelivered != 0
                    ? Origin(stream: try reader.getVarint(), position: try reader.getVarint()) : nil
                var place = 0
                func take(_ count: Int) throws(FormatError) -> UnsafeRawBufferPointer {
                    guard count < textEnd - place else { throw .truncated }
                    defer { place += count + 1 }
                    return UnsafeRawBufferPointer(rebasing: bytes[place..<place + count])
                }
                let (topic, source) = (try reader.getCount(), try reader.getCount())
                view.topic = try take(topic)
                view.source = try take(source)
                view.tags.removeAll(keepingCapacity: true)
                for _ in 0..<(try reader.getCount()) {
                    let (key, value) = (try reader.getCount(), try reader.getCount())
                    view.tags.append(.init(key: try take(key), value: try take(value)))
                }
                view.contents.removeAll(keepingCapacity: true)
                for _ in 0..<(try reader.getCount()) {
                    let (key, value) = (try reader.getCount(), try reader.getCount())
                    view.contents.append(.init(key: try take(key), value: try take(value)))
                }
                return reader.isAtEnd && place == textEnd
            } catch { return false }
        }
    }

    private mutating func readFacts(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= Self.lengthHalves else { return false }
        var length = 0
        for half in 0..<Self.lengthHalves {
            let byte = bytes[bytes.count - Self.lengthHalves + half]
            guard byte < 16 else { return false }
            length |= Int(byte) << (4 * half)
        }
        let start = bytes.count - Self.lengthHalves - 2 * length
        guard start >= 0 else { return false }
        facts.removeAll(keepingCapacity: true)
        for index in 0..<length {
            let (low, high) = (bytes[start + 2 * index], bytes[start + 2 * index + 1])
            guard low < 16, high < 16 else { return false }
            facts.append(low | high << 4)
        }
        return true
    }

    /// What was read, as a log of its own.
    package func stored(sequence: UInt64, receivedAt: Int64) -> StoredLog {
        func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }
        func fields(_ fields: [LogView.Field]) -> [Log.Field] { fields.map { Log.Field(text($0.key), text($0.value)) } }
        return StoredLog(
            sequence: sequence,
            log: Log(
                time: UInt32(clamping: view.time), nanoseconds: hasNanoseconds ? view.nanoseconds : nil,
                contents: fields(view.contents)),
            topic: text(view.topic), source: text(view.source), tags: fields(view.tags), shard: shard, receivedAt: receivedAt)
    }
}
