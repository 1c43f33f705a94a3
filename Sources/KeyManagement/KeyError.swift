// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Why a key, or the root of all keys, cannot do what was asked. No case ever holds key material.
public enum KeyError: Error, Equatable, CustomStringConvertible {
    // The root of trust
    case rootMissing(path: String)
    case rootMalformed(path: String)
    /// The root does not open what it should.
    case wrongRoot(kind: String)
    case wrongPassphrase
    case passphraseTooShort(minimum: Int)
    /// The keys are under another kind of root than the one that was given.
    case otherRoot(stored: String, given: String)
    /// A new root would replace a file that is not the present root.
    case rootFileExists(path: String)
    /// The change of root is done, but a file is left that the next start will put right.
    case rootNotTidied(String)
    case token(String)
    /// A stored key cannot be opened although the root is the right one.
    case damaged(key: String)

    // Opening what a key sealed
    /// The envelope was made by another key, or changed.
    case cannotUnwrap

    // Customers' keys
    case keyNotFound(String)
    case versionNotFound(String)
    case aliasNotFound(String)
    case aliasExists(String)
    /// The state of the key forbids its use or its change.
    case rejected(KeyState)
    /// The state of the key forbids the change of state.
    case stateChangeRefused(KeyState)
    case deletionProtected(String)
    case invalid(_ parameter: String, _ reason: String)
    case aliasNotSupported
    case originNotSupported
    case protectionLevelNotSupported(String)
    case notSupported(String)
    case limitExceeded(_ what: String, limit: Int)
    case invalidImportToken
    case expiredImportToken
    case invalidKeyMaterial(String)

    public var description: String {
        switch self {
        case .rootMissing(let path):
            "the root key `\(path)` is missing, but this data folder has keys that it wrapped: restore the file"
        case .rootMalformed(let path): "the root key `\(path)` is not 32 bytes of base64: restore the file"
        case .wrongRoot(let kind):
            "the root of trust (\(kind)) does not open the keys: it belongs to another data folder, or was changed"
        case .wrongPassphrase: "the passphrase is not the one that the keys of this data folder are under"
        case .passphraseTooShort(let minimum): "the passphrase is shorter than \(minimum) characters: choose a longer one"
        case .otherRoot(let stored, let given):
            "the keys of this data folder are under the root of trust `\(stored)`, but `\(given)` was given: "
                + "start with `\(stored)`, and change the root from there"
        case .rootFileExists(let path): "the file `\(path)` exists, and is not the root in force: move it away, or name another"
        case .rootNotTidied(let reason):
            "the new root of trust is in force, but the file of a root could not be put in its place; "
                + "the next start with the new root will do it: \(reason)"
        case .token(let reason): "the PKCS#11 token cannot be used: \(reason)"
        case .damaged(let key): "the stored key \(key) cannot be opened: it was changed, or damaged"
        case .cannotUnwrap: "a data key cannot be unwrapped: it was changed, or belongs to another key"
        case .keyNotFound: "The specified Key is not found."
        case .versionNotFound: "The specified key version is not found."
        case .aliasNotFound: "The specified Alias is not found."
        case .aliasExists(let name): "The alias \(name) exists already."
        case .rejected(let state), .stateChangeRefused(let state):
            "The request was rejected because the key state is \(state.rawValue)."
        case .deletionProtected:
            "The key is protected from deletion: switch its deletion protection off first."
        case .invalid(let parameter, let reason): "The parameter \(parameter) is invalid: \(reason)."
        case .aliasNotSupported: "This operation takes a key id or ARN, not an alias."
        case .originNotSupported: "This operation is not for keys of this origin."
        case .protectionLevelNotSupported(let level): "The protection level \(level) is not available here."
        case .notSupported(let reason): "The operation is not supported: \(reason)."
        case .limitExceeded(let what, let limit): "There may be at most \(limit) \(what)."
        case .invalidImportToken: "The import token is not valid for this key."
        case .expiredImportToken: "The import token has expired: ask for new import parameters."
        case .invalidKeyMaterial(let reason): "The key material is refused: \(reason)."
        }
    }
}
