// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore

/// The body of a request, which can be read once and in turn by whoever needs some of it.
final class IncomingBody: AsyncSequence, AsyncIteratorProtocol {
    /// More than this is not taken in just to keep a connection.
    private static let drainLimit = 16 << 20

    private var iterator: RequestBody.AsyncIterator

    init(_ body: RequestBody) { iterator = body.makeAsyncIterator() }

    func makeAsyncIterator() -> IncomingBody { self }

    func next() async throws -> ByteBuffer? { try await iterator.next() }

    /// Takes in and drops what nobody has read, so that the connection stays usable.
    func drain() async {
        var count = 0
        do {
            while count <= Self.drainLimit, let buffer = try await next() { count += buffer.readableBytes }
        } catch {
            // The connection is gone, and with it whoever could read the answer.
        }
    }
}
