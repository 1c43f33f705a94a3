// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The refusals of the log service. Source: sls.md section 5.
extension AuthenticationFailure {
    static func slsMissing(_ code: String, _ message: String) -> AuthenticationFailure {
        AuthenticationFailure(code, 400, message)
    }

    static func slsUnreadable(_ message: String) -> AuthenticationFailure {
        AuthenticationFailure("ParameterInvalid", 400, message)
    }

    static let slsMissingHost = slsMissing("MissingHost", "The header Host is missing.")
    static let slsBadDate = slsMissing("InvalidDateFormat", "The date of the request is malformed.")
    static let slsTimeTooSkewed = AuthenticationFailure(
        "RequestTimeTooSkewed", 400, "The time of the request and the time of the service differ by more than 15 minutes.")
    static let slsMalformedAuthorization = AuthenticationFailure(
        "Unauthorized", 401, "The Authorization header is malformed.")

    static func slsUnauthorized(_ message: String) -> AuthenticationFailure {
        AuthenticationFailure("Unauthorized", 401, message)
    }

    static func slsOtherBody(_ header: String, _ accessKeyId: String) -> AuthenticationFailure {
        AuthenticationFailure(
            "SignatureNotMatch", 401, "\(header) is not the digest of the body.", claimedAccessKeyId: accessKeyId)
    }

    /// - Parameter signed: what the server signed.
    static func slsSignatureMismatch(provided: String, signed: String) -> AuthenticationFailure {
        AuthenticationFailure(
            "SignatureNotMatch", 401, "The signature does not match the request.",
            wireMessage: "signature \(provided) not matched, string to sign: '\(signed)'")
    }
}
