// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import KeyManagement

extension RPCError {
    static func missingParameter(_ name: String) -> RPCError {
        RPCError(400, "MissingParameter", "The parameter \(name) is needed but no valid value is provided.")
    }

    static func invalid(_ parameter: String, _ reason: String) -> RPCError { RPCError(KeyError.invalid(parameter, reason)) }

    static let noPermission = RPCError(
        403, "Forbidden.NoPermission", "This operation is forbidden by permission system.")

    /// Codes of kms.md section 7.
    init(_ error: KeyError) {
        let (status, code): (Int, String) =
            switch error {
            case .keyNotFound: (404, "Forbidden.KeyNotFound")
            case .versionNotFound: (404, "Forbidden.KeyVersionNotFound")
            case .aliasNotFound: (404, "Forbidden.AliasNotFound")
            case .aliasExists: (400, "AliasAlreadyExists")
            case .rejected(let state): (409, "Rejected." + state.rawValue)
            case .stateChangeRefused: (409, "Rejected.StateModifiedFailed")
            case .deletionProtected: (409, "Forbidden.DeletionProtectionEnabled")
            case .invalid, .cannotUnwrap: (400, "InvalidParameter")
            case .aliasNotSupported: (400, "Unsupported.Alias")
            case .originNotSupported: (400, "Unsupported.Origin")
            case .protectionLevelNotSupported: (400, "Unsupported.ProtectionLevel")
            case .notSupported: (400, "UnsupportedOperation")
            case .limitExceeded: (400, "Rejected.LimitExceeded")
            case .invalidImportToken: (400, "InvalidImportToken")
            case .expiredImportToken: (400, "ExpiredImportToken")
            case .invalidKeyMaterial: (400, "InvalidKeyMaterial")
            case .token: (503, "ServiceUnavailableTemporary")
            case .rootMissing, .rootMalformed, .wrongRoot, .wrongPassphrase, .passphraseTooShort, .otherRoot, .rootFileExists,
                .rootNotTidied, .damaged:
                (500, "InternalFailure")
            }
        self.init(status, code, error.description)
    }
}
