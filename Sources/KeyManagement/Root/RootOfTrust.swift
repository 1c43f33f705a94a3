// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What the keys of a data folder are under: a choice of whoever runs Cairn.
public enum RootOfTrust: Sendable {
    /// 32 random bytes in a file of mode 0600, made on the first start. Its loss makes everything unreadable.
    case file(String)
    /// A passphrase, from which scrypt derives the root. It is stored nowhere.
    case passphrase(String)
    /// An AES key that never leaves a PKCS#11 token; token and key are found by their labels.
    case token(modulePath: String, tokenLabel: String, keyLabel: String, pin: String)

    var kind: RootRecord.Kind {
        switch self {
        case .file: .file
        case .passphrase: .passphrase
        case .token: .token
        }
    }
}

/// Passphrase and PIN stay out of logs, whichever way it is printed.
extension RootOfTrust: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String {
        switch self {
        case .file(let path): "the file `\(path)`"
        case .passphrase: "a passphrase"
        case .token(let module, let token, let key, _): "the key `\(key)` on the PKCS#11 token `\(token)` of `\(module)`"
        }
    }

    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
