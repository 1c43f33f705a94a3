// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization

/// One port's protocol: from a request to an answer.
protocol WireService: Sendable {
    /// - Parameter request: without its body, which is read, or not, as the service sees fit.
    func answer(_ request: WireRequest, body: RequestBody, from client: ClientConnection) async -> WireAnswer
}

/// Stands between Hummingbird and a ``WireService``: the request as it was on the wire, its peer, and a last net
/// under errors.
public struct PortResponder: HTTPResponder {
    public typealias Context = PortContext
    private let service: any WireService
    private let isTLS: Bool

    init(_ service: any WireService, isTLS: Bool) {
        self.service = service
        self.isTLS = isTLS
    }

    public func respond(to request: Request, context: PortContext) async throws -> Response {
        var headers: [WireHeader] = []
        if let authority = request.head.authority { headers.append(WireHeader("Host", authority)) }
        for field in request.headers { headers.append(WireHeader(field.name.rawName, field.value)) }
        let wire = WireRequest(
            method: request.method.rawValue, target: request.head.path ?? "/", headers: headers,
            peerAddress: context.peerAddress, isTLS: isTLS)
        let answer = await service.answer(wire, body: request.body, from: context.client)
        return answer.response(isHead: request.method == .head)
    }
}

public struct PortContext: RequestContext {
    public var coreContext: CoreRequestContextStorage
    public let peerAddress: String
    let client: ClientConnection

    public init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        client = ClientConnection(source.channel)
        peerAddress = source.channel.remoteAddress?.ipAddress ?? ""
    }
}

/// Memory for request bodies, shared by all connections: what does not fit is refused, not queued.
public final class ByteBudget: Sendable {
    private let free: Mutex<Int>

    public init(bytes: Int) { free = Mutex(bytes) }

    /// - Returns: false, and takes nothing, if there is not so much.
    func take(_ count: Int) -> Bool {
        free.withLock { free in
            guard free >= count else { return false }
            free -= count
            return true
        }
    }

    func give(_ count: Int) { free.withLock { $0 += count } }
}

/// Lets so many in at a time; the others wait their turn.
actor Gate {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    nonisolated func with<Result: Sendable>(_ body: @Sendable () throws -> Result) async throws -> Result {
        await enter()
        do {
            let result = try body()
            await leave()
            return result
        } catch {
            await leave()
            throw error
        }
    }

    private func enter() async {
        if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
    }

    private func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

enum BodyFault: Error {
    case tooLarge(limit: Int)
    /// Other requests hold the memory: try again.
    case busy
    case broken(String)
}

/// A body in memory, with its share of the budget; give it back when done.
final class CollectedBody: Sendable {
    let bytes: [UInt8]
    private let budget: ByteBudget
    private let share: Int

    private init(bytes: [UInt8], budget: ByteBudget, share: Int) {
        self.bytes = bytes
        self.budget = budget
        self.share = share
    }

    deinit { budget.give(share) }

    /// Reads a whole body of at most `limit` bytes, taking from the budget as it grows.
    static func read<Body: AsyncSequence>(
        _ body: Body, limit: Int, budget: ByteBudget, expected: Int?
    ) async throws(BodyFault) -> CollectedBody where Body.Element == ByteBuffer {
        let expected = expected.flatMap { $0 >= 0 ? $0 : nil }
        if let expected, expected > limit { throw .tooLarge(limit: limit) }
        var bytes: [UInt8] = []
        var share = 0
        do {
            // Room is taken as bytes arrive: a length that is only claimed holds nobody else up.
            if let expected { bytes.reserveCapacity(expected) }
            for try await buffer in body {
                let count = bytes.count + buffer.readableBytes
                guard count <= limit else { throw BodyFault.tooLarge(limit: limit) }
                if count > share {
                    guard budget.take(count - share) else { throw BodyFault.busy }
                    share = count
                }
                bytes.append(contentsOf: buffer.readableBytesView)
            }
        } catch {
            budget.give(share)
            throw error as? BodyFault ?? .broken("\(error)")
        }
        return CollectedBody(bytes: bytes, budget: budget, share: share)
    }
}
