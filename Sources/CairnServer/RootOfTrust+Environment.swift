// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import KeyManagement

extension RootOfTrust {
    /// The root that the environment names: `CAIRN_ROOT` is `file` (default), `passphrase` or `token`.
    ///
    /// Secrets come from a variable or, with `_FILE` behind its name, from a file; never from a flag, which every user
    /// of the machine could read.
    static func fromEnvironment(_ environment: [String: String], dataFolder: String) throws -> RootOfTrust {
        func secret(_ name: String) throws -> String {
            if let text = environment[name], !text.isEmpty { return text }
            guard let path = environment[name + "_FILE"], !path.isEmpty else {
                throw StartError.badCredentials("\(name) or \(name)_FILE is needed for this root of trust")
            }
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw StartError.badCredentials("the file `\(path)` that \(name)_FILE names cannot be read")
            }
            return text.hasSuffix("\n") ? String(text.dropLast()) : text
        }
        func label(_ name: String) throws -> String {
            guard let text = environment[name], !text.isEmpty else {
                throw StartError.badCredentials("\(name) is needed for the root of trust `token`")
            }
            return text
        }
        switch environment["CAIRN_ROOT"] ?? "" {
        case "", "file": return .file(dataFolder + "/root.key")
        case "passphrase": return .passphrase(try secret("CAIRN_ROOT_PASSPHRASE"))
        case "token":
            return .token(
                modulePath: try label("CAIRN_ROOT_MODULE"), tokenLabel: try label("CAIRN_ROOT_TOKEN"),
                keyLabel: try label("CAIRN_ROOT_KEY"), pin: try secret("CAIRN_ROOT_PIN"))
        case let other:
            throw StartError.badCredentials("CAIRN_ROOT is `\(other)`, but should be file, passphrase or token")
        }
    }
}
