// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Log groups as protocol buffers; source: sls.md section 6.
///
/// Written by hand because every log passes through it. Fields may come in any order; of one that stands twice the last
/// counts; `Reserved`, `MachineUUID` and unknown fields are passed over.
public enum LogGroupCodec {
    /// The limit of the official clients.
    public static let maximumLogs = 512_000
    /// Source: sls.md section 1.
    public static let maximumKeyBytes = 128
    public static let maximumLogBytes = 1 << 20

    /// - Throws: `PostBodyInvalid`, `PostBodyTooLarge`, `InvalidEncoding`, `InvalidKey`, `InvalidTimestamp`.
    public static func decode(_ bytes: [UInt8]) throws(LogServiceError) -> LogGroup {
        let result: Result<LogGroup, LogServiceError> = bytes.withUnsafeBytes { message in
            do throws(LogServiceError) { return .success(try group(message)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private static func group(_ message: UnsafeRawBufferPointer) throws(LogServiceError) -> LogGroup {
        var group = LogGroup(logs: [])
        var reader = ProtobufReader(message)
        while let (number, type) = try reader.field() {
            switch number {
            case 1:
                guard group.logs.count < maximumLogs else {
                    throw LogServiceError(400, "PostBodyTooLarge", "A LogGroup has at most \(maximumLogs) logs.")
                }
                group.logs.append(try log(try nested(&reader, type)))
            case 3: group.topic = try text(&reader, type)
            case 4: group.source = try text(&reader, type)
            case 6: group.tags.append(try pair(try nested(&reader, type)))
            default: try reader.skip(type)
            }
        }
        return group
    }

    private static func log(_ message: UnsafeRawBufferPointer) throws(LogServiceError) -> Log {
        guard message.count <= maximumLogBytes else {
            throw LogServiceError(400, "PostBodyTooLarge", "A log has at most \(maximumLogBytes) bytes.")
        }
        var time: UInt32?
        var nanoseconds: UInt32?
        var contents: [Log.Field] = []
        var reader = ProtobufReader(message)
        while let (number, type) = try reader.field() {
            switch number {
            case 1:
                guard type == .varint, let seconds = UInt32(exactly: try reader.varint()) else {
                    throw .undecodable("the time of a log is no number of 32 bits")
                }
                time = seconds
            case 2: contents.append(try pair(try nested(&reader, type)))
            case 4:
                guard type == .fixed32 else { throw .undecodable("Time_ns has the wrong wire type") }
                let part = try reader.fixed32()
                guard part < 1_000_000_000 else {
                    throw LogServiceError(400, "InvalidTimestamp", "Time_ns must be from 0 to 999999999.")
                }
                nanoseconds = part
            default: try reader.skip(type)
            }
        }
        guard let time else { throw .undecodable("a log has no time") }
        return Log(time: time, nanoseconds: nanoseconds, contents: contents)
    }

    /// A `Content` or a `LogTag`.
    private static func pair(_ message: UnsafeRawBufferPointer) throws(LogServiceError) -> Log.Field {
        var key: String?
        var value: String?
        var reader = ProtobufReader(message)
        while let (number, type) = try reader.field() {
            switch number {
            case 1: key = try text(&reader, type)
            case 2: value = try text(&reader, type)
            default: try reader.skip(type)
            }
        }
        guard let key, let value else { throw .undecodable("a field of a log, or a tag, has no key or no value") }
        guard (1...maximumKeyBytes).contains(key.utf8.count) else {
            throw LogServiceError(400, "InvalidKey", "A key has 1 to \(maximumKeyBytes) bytes.")
        }
        return Log.Field(key, value)
    }

    private static func nested(
        _ reader: inout ProtobufReader, _ type: ProtobufReader.WireType
    ) throws(LogServiceError) -> UnsafeRawBufferPointer {
        guard type == .bytes else { throw .undecodable("a field has the wrong wire type") }
        return try reader.bytes()
    }

    private static func text(
        _ reader: inout ProtobufReader, _ type: ProtobufReader.WireType
    ) throws(LogServiceError) -> String {
        let bytes = try nested(&reader, type)
        guard let text = String(validating: bytes.assumingMemoryBound(to: UInt8.self), as: UTF8.self) else {
            throw LogServiceError(400, "InvalidEncoding", "A text of the LogGroup is not valid UTF-8.")
        }
        return text
    }
}
