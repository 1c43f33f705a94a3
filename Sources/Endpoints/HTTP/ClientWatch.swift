// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// The connection that a request came over.
struct ClientConnection: Sendable {
    private let channel: any Channel

    init(_ channel: any Channel) { self.channel = channel }

    /// Does work that may take long, and cancels it when the client goes away, which the server by itself does not look for.
    func whilePresent<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = Task { try await work() }
        watch { task.cancel() }
        // What the task holds must not stay with an idle connection.
        defer { watch(nil) }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func watch(_ departure: (@Sendable () -> Void)?) {
        channel.eventLoop.execute { [channel] in
            try? channel.pipeline.syncOperations.handler(type: DepartureHandler.self).watch(departure)
        }
    }
}

/// Stands in the pipeline of each connection and sees its client's end of it close.
///
/// A client that closes its sending half alone counts as gone, too: the two cannot be told apart until something is sent.
public final class DepartureHandler: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    public typealias InboundIn = NIOAny

    private struct State {
        var isGone = false
        /// Of the one request that is being answered.
        var departure: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    public init() {}

    /// - Parameter departure: called once when the client goes, or at once if it has gone.
    func watch(_ departure: (@Sendable () -> Void)?) {
        let isGone = state.withLock { state in
            state.departure = state.isGone ? nil : departure
            return state.isGone
        }
        if isGone { departure?() }
    }

    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { leave() }
        context.fireUserInboundEventTriggered(event)
    }

    public func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    private func leave() {
        let departure = state.withLock { state in
            defer { state = State(isGone: true) }
            return state.departure
        }
        departure?()
    }
}
