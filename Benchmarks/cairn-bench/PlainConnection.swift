// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One keep-alive HTTP/1.1 connection, blocking: the cheapest load there is.
final class PlainConnection {
    private var descriptor: Int32 = -1
    private let port: UInt16
    private var buffer: [UInt8] = []

    init(port: Int) throws {
        self.port = UInt16(port)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw BenchError("cannot connect to port \(port)") }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(descriptor) }

    /// Sends a request and reads its whole answer.
    func exchange(_ head: String, _ body: [UInt8] = []) throws -> (status: Int, body: [UInt8]) {
        try send(Array(head.utf8))
        if !body.isEmpty { try send(body) }
        buffer.removeAll(keepingCapacity: true)
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        var headEnd: Int?
        var length = 0
        while true {
            if headEnd == nil, let end = buffer.end(of: "\r\n\r\n") {
                headEnd = end
                let text = String(decoding: buffer[..<end], as: UTF8.self).lowercased()
                guard let line = text.split(separator: "\r\n").first(where: { $0.hasPrefix("content-length:") }),
                    let count = Int(line.dropFirst("content-length:".count).trimmingCharacters(in: .whitespaces))
                else { throw BenchError("an answer without length") }
                length = count
            }
            if let headEnd, buffer.count >= headEnd + length {
                let status = Int(String(decoding: buffer[9..<12], as: UTF8.self)) ?? 0
                return (status, Array(buffer[headEnd..<headEnd + length]))
            }
            let got = recv(descriptor, &chunk, chunk.count, 0)
            guard got > 0 else { throw BenchError("the connection was closed") }
            buffer += chunk[..<got]
        }
    }

    private func send(_ bytes: [UInt8]) throws {
        var offset = 0
        try bytes.withUnsafeBytes { raw in
            while offset < raw.count {
                let sent = Foundation.send(descriptor, raw.baseAddress! + offset, raw.count - offset, Int32(MSG_NOSIGNAL))
                guard sent > 0 else { throw BenchError("the connection was closed while sending") }
                offset += sent
            }
        }
    }
}

struct BenchError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
