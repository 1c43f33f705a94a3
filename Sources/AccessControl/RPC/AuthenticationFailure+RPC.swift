// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The refusals of the RPC gateway. Source: actiontrail.md sections 6.2 and 6.3; ram.md section 3 for session tokens.
extension AuthenticationFailure {
    static func missing(_ parameter: String) -> AuthenticationFailure {
        AuthenticationFailure("Missing\(parameter)", 400, "\(parameter) is mandatory for this action.")
    }

    static func incompleteSignature(_ reason: String) -> AuthenticationFailure {
        AuthenticationFailure(
            "IncompleteSignature", 400, "The request signature does not conform to Aliyun standards. \(reason)")
    }

    static func unreadable(_ fault: WireFault) -> AuthenticationFailure {
        AuthenticationFailure("InvalidParameter", 400, fault.message)
    }

    static let unknownAccessKey = AuthenticationFailure(
        "InvalidAccessKeyId.NotFound", 404, "Specified access key is not found.")
    static let inactiveAccessKey = AuthenticationFailure(
        "InvalidAccessKeyId.Inactive", 403, "Specified access key is disabled.")
    static let badTimestamp = AuthenticationFailure(
        "InvalidTimeStamp.Format", 400, "Specified time stamp or date value is not well formatted.")
    static let expiredTimestamp = AuthenticationFailure(
        "InvalidTimeStamp.Expired", 400, "Specified time stamp or date value is expired.")
    static let usedNonce = AuthenticationFailure(
        "SignatureNonceUsed", 400, "Specified signature nonce was used already.")
    static let tooManyNonces = AuthenticationFailure(
        "Throttling.User", 400, "Request was denied due to user flow control.")

    /// The old SDK takes what follows the first colon for the server's string to sign, and fails without a colon.
    static func signatureMismatch(stringToSign: String) -> AuthenticationFailure {
        let message = "Specified signature is not matched with our calculation."
        return AuthenticationFailure(
            "SignatureDoesNotMatch", 400, message,
            wireMessage: "\(message) server string to sign is:\(stringToSign)")
    }

    static let missingSessionToken = AuthenticationFailure(
        "MissingSecurityToken", 400, "SecurityToken is mandatory for this action.")
    static let mismatchedSessionToken = AuthenticationFailure(
        "InvalidSecurityToken.MismatchWithAccessKey", 400,
        "Specified SecurityToken mismatch with the AccessKey.")
    static let expiredSessionToken = AuthenticationFailure(
        "InvalidSecurityToken.Expired", 400, "Specified SecurityToken is expired.")
    static let unknownBearerToken = AuthenticationFailure(
        "InvalidBearerToken", 400, "Specified bearer token is not valid.")

    /// Ingest has an API of its own, so these two follow HTTP rather than the gateway.
    static let unknownIngestToken = AuthenticationFailure(
        "InvalidIngestToken", 401, "Specified ingest token is not valid.")
    static let lapsedIngestToken = AuthenticationFailure(
        "InvalidIngestToken.Inactive", 403, "Specified ingest token is disabled or expired.")
    static let notIngest = AuthenticationFailure(
        "InvalidApi.NotFound", 404, "Specified api is not found, please check your url and method.")
}
