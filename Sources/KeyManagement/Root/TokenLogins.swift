// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CPKCS11
import Crypto
import Foundation
import Synchronization

/// With which PIN this process logged in to each token, as a digest under a key that lives as long as the process.
///
/// Once a session of the process is logged in, all of them are, and the token does not look at a PIN any more: somebody
/// has to, or a wrong one would be taken for right.
enum TokenLogins {
    private static let key = SymmetricKey(size: .bits256)
    private static let digests = Mutex<[String: Data]>([:])

    /// Runs `attempt`, one at a time.
    ///
    /// - Returns: what the token says, or `CKR_PIN_INCORRECT` for a PIN other than the one that logged in.
    static func login(_ token: String, _ pin: SymmetricKey, _ attempt: () -> ck_rv_t) -> ck_rv_t {
        let digest = pin.withUnsafeBytes { Data(HMAC<SHA256>.authenticationCode(for: Data($0), using: key)) }
        return digests.withLock { digests in
            let result = attempt()
            switch result {
            case PKCS11Module.ok:
                digests[token] = digest
                return result
            case UInt(CKR_USER_ALREADY_LOGGED_IN):
                return digests[token] == digest ? PKCS11Module.ok : UInt(CKR_PIN_INCORRECT)
            default: return result
            }
        }
    }
}
