// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The refusals of OSS. Source: oss.md section 10, and section 8 for session tokens.
extension AuthenticationFailure {
    static func ossInvalidArgument(_ message: String, errorDetailCode: String? = nil) -> AuthenticationFailure {
        AuthenticationFailure("InvalidArgument", 400, message, errorDetailCode: errorDetailCode)
    }

    static func ossAccessDenied(_ message: String) -> AuthenticationFailure {
        AuthenticationFailure("AccessDenied", 403, message)
    }

    static func ossUnreadable(_ fault: WireFault) -> AuthenticationFailure {
        .ossInvalidArgument(fault.message)
    }

    static let ossMalformedAuthorization = ossInvalidArgument("Authorization header is invalid.")
    static let ossSignedPayload = ossInvalidArgument(
        "x-oss-content-sha256 must be UNSIGNED-PAYLOAD.", errorDetailCode: "0002-00000214")
    static let ossEmptyAdditionalHeaders = ossInvalidArgument(
        "AdditionalHeaders is malformed.", errorDetailCode: "0002-00000209")
    static let ossWrongRegion = ossInvalidArgument(
        "The region of the credential is not that of this store.", errorDetailCode: "0002-00000226")
    static let ossBadDate = ossAccessDenied("OSS authentication requires a valid Date.")
    static let ossExpired = ossAccessDenied("Request has expired.")
    static let ossNotYetValid = ossAccessDenied("Request is not valid yet.")
    static let ossUnknownAccessKey = AuthenticationFailure(
        "InvalidAccessKeyId", 403, "The OSS Access Key Id you provided does not exist in our records.",
        errorDetailCode: "0002-00000902")
    static let ossInactiveAccessKey = AuthenticationFailure(
        "InvalidAccessKeyId", 403, "The OSS Access Key Id you provided is disabled.")
    static let ossTimeTooSkewed = AuthenticationFailure(
        "RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large.")
    static let ossMismatchedSessionToken = AuthenticationFailure(
        "AccessKeyIdAndSecurityTokenNotMatch", 403, "The security token does not belong to the access key.")
    static let ossExpiredSessionToken = AuthenticationFailure(
        "SecurityTokenExpired", 403, "The security token you provided has expired.")

    static func ossSignatureMismatch(
        accessKeyId: String, provided: String, stringToSign: String
    ) -> AuthenticationFailure {
        let bytes = stringToSign.utf8.map { TextCoding.hex([$0]) }.joined(separator: " ")
        return AuthenticationFailure(
            "SignatureDoesNotMatch", 403,
            "The request signature we calculated does not match the signature you provided. "
                + "Check your key and signing method.",
            details: [
                Detail(name: "OSSAccessKeyId", value: accessKeyId),
                Detail(name: "SignatureProvided", value: provided),
                Detail(name: "StringToSign", value: stringToSign),
                Detail(name: "StringToSignBytes", value: bytes),
            ],
            errorDetailCode: "0002-00000040")
    }
}
