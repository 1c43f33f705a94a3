// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension LogGroupCodec {
    public static func encode(_ group: LogGroup) -> [UInt8] {
        let sizes = Sizes(group)
        var writer = ProtobufWriter(reserving: sizes.whole)
        write(group, sizes, to: &writer)
        return writer.bytes
    }

    /// A `LogGroupList`.
    public static func encode(list: [LogGroup]) -> [UInt8] {
        let sizes = list.map(Sizes.init)
        var writer = ProtobufWriter(reserving: sizes.reduce(0) { $0 + ProtobufWriter.size(ofBytes: $1.whole) })
        for (group, sizes) in zip(list, sizes) {
            writer.messageHead(1, count: sizes.whole)
            write(group, sizes, to: &writer)
        }
        return writer.bytes
    }

    /// Bytes of the messages inside a group.
    private struct Sizes {
        var logs: [Int]
        var whole: Int

        init(_ group: LogGroup) {
            logs = group.logs.map { log in
                log.contents.reduce(1 + ProtobufWriter.size(ofVarint: UInt64(log.time)) + (log.nanoseconds == nil ? 0 : 5)) {
                    $0 + ProtobufWriter.size(ofBytes: LogGroupCodec.size(of: $1))
                }
            }
            whole =
                logs.reduce(0) { $0 + ProtobufWriter.size(ofBytes: $1) }
                + group.tags.reduce(0) { $0 + ProtobufWriter.size(ofBytes: LogGroupCodec.size(of: $1)) }
                + ProtobufWriter.size(of: group.topic) + ProtobufWriter.size(of: group.source)
        }
    }

    private static func size(of pair: Log.Field) -> Int {
        ProtobufWriter.size(of: pair.key) + ProtobufWriter.size(of: pair.value)
    }

    private static func write(_ group: LogGroup, _ sizes: Sizes, to writer: inout ProtobufWriter) {
        for (log, size) in zip(group.logs, sizes.logs) {
            writer.messageHead(1, count: size)
            writer.tag(1, .varint)
            writer.varint(UInt64(log.time))
            for content in log.contents { write(content, 2, to: &writer) }
            if let nanoseconds = log.nanoseconds {
                writer.tag(4, .fixed32)
                writer.fixed32(nanoseconds)
            }
        }
        writer.text(3, group.topic)
        writer.text(4, group.source)
        for tag in group.tags { write(tag, 6, to: &writer) }
    }

    private static func write(_ pair: Log.Field, _ number: UInt8, to writer: inout ProtobufWriter) {
        writer.messageHead(number, count: size(of: pair))
        writer.text(1, pair.key)
        writer.text(2, pair.value)
    }
}
