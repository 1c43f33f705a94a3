// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Decides who sent a request.
///
/// A verdict is a value, refusals included. What is thrown is an error of a directory: nobody can tell at present.
public struct Authenticator: Sendable {
    public struct Settings: Sendable {
        /// How far a request's time may be from ours, to either side (actiontrail.md section 3.3, oss.md section 5).
        public var allowedSkewSeconds: Int64 = 15 * 60
        /// The region that V4 scopes must name; nil accepts any (oss.md section 6).
        public var ossRegion: String?

        public init() {}
    }

    let keys: any AccessKeyDirectory
    let tokens: any IngestTokenDirectory
    let nonces: NonceStore
    let settings: Settings
    let now: @Sendable () -> WireTime

    /// - Parameter nonces: one for everything that answers to the same keys, or a request accepted here could be
    ///   replayed there.
    public init(
        keys: any AccessKeyDirectory, tokens: any IngestTokenDirectory, nonces: NonceStore,
        settings: Settings = Settings(), now: @escaping @Sendable () -> WireTime = WireTime.now
    ) {
        precondition(
            nonces.windowSeconds >= 2 * settings.allowedSkewSeconds,
            "a nonce is remembered at least as long as a request stays fresh")
        self.keys = keys
        self.tokens = tokens
        self.nonces = nonces
        self.settings = settings
        self.now = now
    }

    func isFresh(_ time: WireTime) -> Bool {
        let now = now()
        return now - settings.allowedSkewSeconds <= time && time <= now + settings.allowedSkewSeconds
    }

    static func verdict(
        claiming accessKeyId: String?, _ decide: () throws -> Authentication
    ) throws -> AuthenticationVerdict {
        do {
            return .authenticated(try decide())
        } catch let failure as AuthenticationFailure {
            return .refused(failure.claiming(accessKeyId))
        }
    }
}
