// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// An answer, before it becomes Hummingbird's.
struct WireAnswer: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// Written as it is read, so that large objects take no memory.
        case stream(length: Int64, @Sendable (_ write: (Data) async throws -> Void) async throws -> Void)
    }

    var status: Int
    var headers: [(name: String, value: String)]
    var body: Body

    init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = .bytes(body)
    }

    static func json(_ fields: JSONFields, status: Int = 200, headers: [(name: String, value: String)] = []) -> WireAnswer {
        WireAnswer(
            status: status, headers: [("Content-Type", "application/json;charset=utf-8")] + headers, body: fields.finished)
    }

    static func text(_ text: String, status: Int = 200, headers: [(name: String, value: String)] = []) -> WireAnswer {
        WireAnswer(
            status: status, headers: [("Content-Type", "text/plain; charset=utf-8")] + headers, body: Array(text.utf8))
    }

    func response(isHead: Bool) -> Response {
        var fields = HTTPFields()
        for (name, value) in headers {
            guard let name = HTTPField.Name(name) else { continue }
            fields.append(HTTPField(name: name, value: value))
        }
        let status = HTTPResponse.Status(code: status)
        switch body {
        case .bytes(let bytes):
            if isHead {
                fields[.contentLength] = fields[.contentLength] ?? String(bytes.count)
                return Response(status: status, headers: fields, body: .init())
            }
            if status.code == 204 || status.code == 304 { return Response(status: status, headers: fields, body: .init()) }
            return Response(status: status, headers: fields, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        case .stream(let length, let produce):
            fields[.contentLength] = String(length)
            if isHead { return Response(status: status, headers: fields, body: .init()) }
            return Response(
                status: status, headers: fields,
                body: ResponseBody(contentLength: Int(length)) { writer in
                    // The writer is used by one reader at a time; the box only carries it through the closure.
                    let box = WriterBox(writer)
                    try await produce { data in try await box.write(data) }
                    try await box.writer.finish(nil)
                })
        }
    }
}

private final class WriterBox {
    var writer: any ResponseBodyWriter
    init(_ writer: any ResponseBodyWriter) { self.writer = writer }
    func write(_ data: Data) async throws { try await writer.write(ByteBuffer(bytes: data)) }
}
