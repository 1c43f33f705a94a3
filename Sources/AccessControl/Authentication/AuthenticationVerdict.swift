// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Whether a request is believed, and if not, why.
public enum AuthenticationVerdict: Sendable {
    case authenticated(Authentication)
    case refused(AuthenticationFailure)
}

/// A caller, and what vouches for them.
public struct Authentication: Sendable, Hashable {
    public enum Method: String, Sendable, CaseIterable {
        case acs3SHA256 = "ACS3-HMAC-SHA256"
        case acs3SM3 = "ACS3-HMAC-SM3"
        case acs4SHA256 = "ACS4-HMAC-SHA256"
        case rpcV1SHA1 = "HMAC-SHA1"
        case rpcV1SHA256 = "HMAC-SHA256"
        case ossV1Header = "OSS"
        case ossV1URL = "OSS-URL"
        case ossV2Header = "OSS2"
        case ossV2URL = "OSS2-URL"
        case ossV4Header = "OSS4-HMAC-SHA256"
        case ossV4URL = "OSS4-HMAC-SHA256-URL"
        case slsV1SHA1 = "LOG-HMAC-SHA1"
        case slsV1SHA256 = "LOG-HMAC-SHA256"
        case slsV4 = "SLS4-HMAC-SHA256"
        case bearerToken = "Bearer"
    }

    public let caller: Caller
    public let method: Method
    /// Whether the body is the one that was signed. RPC V1 covers a form and nothing else, OSS signatures no body at
    /// all, and a bearer token vouches for nothing but its holder.
    public let coversBody: Bool
}
