// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import KeyManagement

extension RootOfTrust {
    /// The root that the environment names: `CAIRN_ROOT` is `file` (default), `passphrase` or `token`.
    static func fromEnvironment(_ environment: [String: String], dataFolder: String) throws -> RootOfTrust {
        func secret(_ name: String) throws -> String {
            do throws(EnvironmentSecret.Unreadable) {
                if let text = try EnvironmentSecret.read(name, in: environment) { return text }
            } catch { throw StartError.badCredentials("\(error)") }
            throw StartError.badCredentials("\(name) or \(name)_FILE is needed for this root of trust")
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
