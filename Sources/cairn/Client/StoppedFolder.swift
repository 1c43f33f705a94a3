// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import DurableFiles
import Foundation
import KeyManagement
import Metadata

/// The data folder of a service that does not run, and the root of trust it is under.
struct StoppedFolder: ParsableArguments {
    @Option(help: "Data folder. Default: $CAIRN_DATA, else ./cairn-data") var data: String?
    @Option(help: "Of a token: path of the PKCS#11 module. Default: $CAIRN_ROOT_MODULE") var module: String?
    @Option(help: "Of a token: its label. Default: $CAIRN_ROOT_TOKEN") var token: String?
    @Option(help: "Of a token: label of the AES key on it. Default: $CAIRN_ROOT_KEY") var key: String?

    /// Its keys, and the lock that keeps a service from starting meanwhile.
    struct Opened {
        var keys: KeyService
        fileprivate var lock: FolderLock
    }

    private var environment: [String: String] { ProcessInfo.processInfo.environment }

    var path: String { data ?? environment["CAIRN_DATA"] ?? "./cairn-data" }
    var rootFile: String { path + "/root.key" }

    /// - Throws: ``Failure`` if there is no data folder, a service holds it, or the root is not the right one.
    func open() throws -> (Opened, RootOfTrust) {
        guard FileManager.default.fileExists(atPath: path + "/metadata.sqlite") else {
            throw Failure.usage("`\(path)` is not the data folder of a service that has run")
        }
        let lock: FolderLock
        do { lock = try FolderLock(folder: path) } catch {
            guard error.code != .locked else { throw Failure.no("a service runs on `\(path)`: stop it first") }
            throw Failure.unreachable("\(error)")
        }
        let metadata: Metadata
        do { metadata = try Metadata(path: path + "/metadata.sqlite") } catch {
            throw Failure.unreachable("`\(path)/metadata.sqlite` cannot be opened: \(error)")
        }
        // A root in a file needs no secret, and the keys tell if theirs is of another kind.
        var setting = RootOfTrust.file(rootFile)
        do {
            return (Opened(keys: try KeyService(metadata: metadata, root: setting, disk: LocalDisk()), lock: lock), setting)
        } catch let error as KeyError {
            guard case .otherRoot(let stored, _) = error else { return try KeysCommand.Root.answering { throw error } }
            setting = try present(stored)
        }
        let keys = try KeysCommand.Root.answering {
            try KeyService(metadata: metadata, root: setting, disk: LocalDisk())
        }
        return (Opened(keys: keys, lock: lock), setting)
    }

    private func present(_ kind: String) throws -> RootOfTrust {
        guard kind == "token" else {
            return .passphrase(try SecretInput(name: "passphrase", variable: "CAIRN_ROOT_PASSPHRASE", isNew: false).read())
        }
        func label(_ flag: String?, _ variable: String) throws -> String {
            guard let text = flag ?? environment[variable], !text.isEmpty else {
                throw Failure.usage("the keys are on a token: give --module, --token and --key (or set \(variable))")
            }
            return text
        }
        return .token(
            modulePath: try label(module, "CAIRN_ROOT_MODULE"), tokenLabel: try label(token, "CAIRN_ROOT_TOKEN"),
            keyLabel: try label(key, "CAIRN_ROOT_KEY"),
            pin: try SecretInput(name: "PIN of the token", variable: "CAIRN_ROOT_PIN", isNew: false).read())
    }
}
