// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A request as it came over the wire.
struct FakeRequest: Sendable {
    var method: String
    var target: String
    /// Names in lower case.
    var headers: [String: String]
    var body: [UInt8]

    var path: String { String(target.prefix { $0 != "?" }) }
    var query: String { target.contains("?") ? String(target.drop { $0 != "?" }.dropFirst()) : "" }
}

struct FakeAnswer: Sendable {
    enum Manner: Sendable, Equatable {
        case whole
        /// Closes the connection before anything is said.
        case silent
        /// Promises this many bytes more than it sends, then closes.
        case short(by: Int)
        /// Waits so many seconds first.
        case slow(Double)
        /// Sends this many bytes of body without saying how many come.
        case huge(Int)
    }

    var status = 200
    var headers: [(String, String)] = []
    var body: [UInt8] = []
    var manner = Manner.whole

    static func error(_ status: Int, _ code: String, _ headers: [(String, String)] = [], more: String = "") -> FakeAnswer {
        let body = "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>Made up &amp; told.</Message>\(more)</Error>"
        return FakeAnswer(status: status, headers: headers, body: Array(body.utf8))
    }

    static func xml(_ text: String) -> FakeAnswer { FakeAnswer(body: Array(text.utf8)) }
}

/// An HTTP server on a loopback port that answers as a test says, well or badly.
final class FakeServer: Sendable {
    typealias Handler = @Sendable (FakeRequest, _ number: Int) -> FakeAnswer

    let port: Int
    private let listener: Int32
    private let handler: Handler
    private let seen = Mutex<[FakeRequest]>([])
    private let isClosed = Mutex(false)

    var requests: [FakeRequest] { seen.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(port)" }

    init(_ handler: @escaping Handler) throws {
        self.handler = handler
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let file = listener
        let isOpen = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(file, $0, length) == 0 && listen(file, 64) == 0 && getsockname(file, $0, &length) == 0
            }
        }
        guard isOpen else { throw POSIXError(.EADDRNOTAVAIL) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(file, nil, nil)
                guard connection >= 0, !isClosed.withLock({ $0 }) else { return }
                Thread.detachNewThread { [self] in serve(connection) }
            }
        }
    }

    func close() {
        isClosed.withLock { $0 = true }
        shutdown(listener, Int32(SHUT_RDWR))
        Foundation.close(listener)
    }

    private func serve(_ connection: Int32) {
        defer { Foundation.close(connection) }
        guard let request = read(connection) else { return }
        let number = seen.withLock { seen in
            seen.append(request)
            return seen.count - 1
        }
        let answer = handler(request, number)
        var length = answer.body.count
        switch answer.manner {
        case .silent: return
        case .slow(let seconds): Thread.sleep(forTimeInterval: seconds)
        case .short(let missing): length += missing
        case .whole, .huge: break
        }
        var head = "HTTP/1.1 \(answer.status) Made up\r\nConnection: close\r\n"
        if case .huge = answer.manner {
        } else if !answer.headers.contains(where: { $0.0.lowercased() == "content-length" }) {
            head += "Content-Length: \(length)\r\n"
        }
        for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
        write(connection, Array((head + "\r\n").utf8))
        if request.method != "HEAD" { write(connection, answer.body) }
        if case .huge(let count) = answer.manner {
            let part = [UInt8](repeating: 0x61, count: 1 << 16)
            for _ in 0..<count / part.count where !write(connection, part) { return }
        }
    }

    private func read(_ connection: Int32) -> FakeRequest? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        func more() -> Bool {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return false }
            bytes += buffer.prefix(count)
            return true
        }
        var end: Int?
        while end == nil {
            end = bytes.firstRange(of: Array("\r\n\r\n".utf8))?.lowerBound
            if end == nil, !more() { return nil }
        }
        guard let end else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while bytes.count < end + 4 + length { if !more() { return nil } }
        return FakeRequest(
            method: String(words[0]), target: String(words[1]), headers: headers,
            body: Array(bytes[(end + 4)..<(end + 4 + length)]))
    }

    @discardableResult
    private func write(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(connection, $0.baseAddress! + offset, $0.count - offset, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }
}
