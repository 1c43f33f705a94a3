// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A denial with what the request brought, as DecodeDiagnosticMessage tells it (ram.md section 2.6).
public struct DiagnosticMessage: Sendable, Hashable {
    public let denial: AccessDenial
    /// Condition keys of the request, those of every request included.
    public let conditions: [String: [String]]
    let expiresAt: WireTime
}

/// What stands behind the `EncodedDiagnosticMessage` of recent denials.
///
/// The text that a client holds is a random handle and says nothing. The table is in memory, for some hours and a fixed
/// number of denials, oldest out first; long names and values are kept cut, so that it stays below 100 MB whatever was asked.
public final class DiagnosticMessages: Sendable {
    private struct State {
        var messages: [String: DiagnosticMessage] = [:]
        /// Handles in a ring; `next` is the oldest once it is full.
        var handles: [String] = []
        var next = 0
    }

    private static let longestName = 1024
    private static let longestValue = 256
    private static let mostValues = 16

    private let capacity: Int
    private let lifetimeSeconds: Int64
    private let state = Mutex(State())

    public init(capacity: Int = 10_000, lifetimeSeconds: Int64 = 6 * 3600) {
        self.capacity = max(1, capacity)
        self.lifetimeSeconds = lifetimeSeconds
    }

    /// - Parameter account: of whoever asks; only denials of its own principals are told.
    /// - Returns: nil if there is no such handle, or no longer, or not for this account.
    public func decode(_ handle: String, account: String, at now: WireTime = .now()) -> DiagnosticMessage? {
        guard let message = state.withLock({ $0.messages[handle] }), now < message.expiresAt,
            message.denial.principalAccount.hasSameBytes(as: account)
        else { return nil }
        return message
    }

    /// - Returns: the handle; empty for a caller without an account, who could not ask.
    func remember(_ denial: AccessDenial, in context: DecisionContext) -> String {
        guard !denial.principalAccount.isEmpty else { return "" }
        let handle = TextCoding.base64URL((0..<24).map { _ in UInt8.random(in: 0...255) })
        var kept = denial
        kept.action = Self.cut(denial.action, to: Self.longestValue)
        kept.resource = Self.cut(denial.resource, to: Self.longestName)
        kept.encodedDiagnosticMessage = handle
        let message = DiagnosticMessage(
            denial: kept, conditions: Self.conditions(of: context), expiresAt: context.circumstances.now + lifetimeSeconds)
        state.withLock { state in
            if state.handles.count < capacity {
                state.handles.append(handle)
            } else {
                state.messages[state.handles[state.next]] = nil
                state.handles[state.next] = handle
                state.next = (state.next + 1) % capacity
            }
            state.messages[handle] = message
        }
        return handle
    }

    private static func conditions(of context: DecisionContext) -> [String: [String]] {
        var conditions: [String: [String]] = [:]
        var room = mostValues
        func add(_ name: String, _ values: [String]) {
            guard room > 0, !values.isEmpty else { return }
            let values = values.prefix(room).map { cut($0, to: longestValue) }
            room -= values.count
            conditions[cut(name, to: longestValue), default: []] += values
        }
        for key in ConditionKey.standard { add(key.name, context.values(of: key)) }
        for (name, values) in context.request.conditions.sorted(by: { $0.key < $1.key }) { add(name, values) }
        return conditions
    }

    private static func cut(_ text: String, to length: Int) -> String {
        text.utf8.count <= length ? text : String(decoding: text.utf8.prefix(length), as: UTF8.self) + "…"
    }
}
