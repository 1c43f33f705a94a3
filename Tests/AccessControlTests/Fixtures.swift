// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Synchronization

/// Keys, tokens and a clock that tests set as they please.
final class World: AccessKeyDirectory, IngestTokenDirectory, Sendable {
    struct Unreachable: Error {}

    private let state: Mutex<State>

    private struct State {
        var now: WireTime
        var keys: [String: AccessKey] = [:]
        var tokens: [String: IngestTokenRecord] = [:]
        var isUnreachable = false
    }

    init(now: WireTime, keys: [AccessKey] = [], tokens: [IngestTokenRecord] = []) {
        var state = State(now: now)
        for key in keys { state.keys[key.id] = key }
        for token in tokens { state.tokens[token.id] = token }
        self.state = Mutex(state)
    }

    var now: WireTime {
        get { state.withLock { $0.now } }
        set { state.withLock { $0.now = newValue } }
    }

    func becomeUnreachable() {
        state.withLock { $0.isUnreachable = true }
    }

    func accessKey(id: String) throws -> AccessKey? {
        try state.withLock { state in
            if state.isUnreachable { throw Unreachable() }
            return state.keys[id]
        }
    }

    func ingestToken(id: String) throws -> IngestTokenRecord? {
        state.withLock { $0.tokens[id] }
    }

    func authenticator(
        nonces: NonceStore = NonceStore(), settings: Authenticator.Settings = Authenticator.Settings()
    ) -> Authenticator {
        Authenticator(keys: self, tokens: self, nonces: nonces, settings: settings, now: { self.now })
    }
}

extension AccessKey {
    static func sample(
        id: String = "LTAIsample", secret: String = "sample-secret", isActive: Bool = true,
        sessionToken: String? = nil, expiresAt: WireTime? = nil
    ) -> AccessKey {
        AccessKey(
            id: id, secret: Secret(secret), owner: .rootAccount("1000000000000001", accessKeyId: id),
            isActive: isActive, sessionToken: sessionToken.map(Secret.init), expiresAt: expiresAt)
    }
}

extension WireTime {
    static let noon = WireTime(iso8601: "2026-11-22T12:00:00Z")!
}

extension AuthenticationVerdict {
    var code: String {
        switch self {
        case .authenticated: "OK"
        case .refused(let failure): failure.code
        }
    }

    var failure: AuthenticationFailure? {
        guard case .refused(let failure) = self else { return nil }
        return failure
    }

    var authentication: Authentication? {
        guard case .authenticated(let authentication) = self else { return nil }
        return authentication
    }
}

extension Authenticator {
    /// The whole way an RPC endpoint goes, refusals on reading included.
    func verdictRPC(_ request: WireRequest) throws -> AuthenticationVerdict {
        let call: RPCCall
        do throws(AuthenticationFailure) { call = try RPCCall(request) } catch { return .refused(error) }
        return try authenticateRPC(call)
    }

    func verdictOSS(
        _ request: WireRequest, addressing: OSSAddressing = OSSAddressing()
    ) throws -> AuthenticationVerdict {
        let read: OSSRequest
        do throws(AuthenticationFailure) { read = try OSSRequest(request, addressing: addressing) } catch {
            return .refused(error)
        }
        return try authenticateOSS(read)
    }
}

extension WireRequest {
    func replacing(_ name: String, with value: String?) -> WireRequest {
        var changed = self
        changed.headers.removeAll { $0.name.lowercased() == name.lowercased() }
        if let value { changed.headers.append(WireHeader(name, value)) }
        return changed
    }

    func with(_ change: (inout WireRequest) -> Void) -> WireRequest {
        var changed = self
        change(&changed)
        return changed
    }
}

extension String {
    /// With the byte at a place made another one.
    func disturbed(at place: Int) -> String {
        var bytes = Array(utf8)
        bytes[place] = bytes[place] == UInt8(ascii: "q") ? UInt8(ascii: "w") : UInt8(ascii: "q")
        return String(decoding: bytes, as: UTF8.self)
    }
}
