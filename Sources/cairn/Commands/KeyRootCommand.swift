// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import KeyManagement

extension KeysCommand {
    struct Root: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The root of trust, which every other key is under. The service has to be stopped.",
            discussion: """
                The root is 32 bytes in a file (root.key in the data folder), a passphrase, or a key on a PKCS#11 token. Passphrase \
                and PIN are asked for on a terminal, or come from CAIRN_ROOT_PASSPHRASE and CAIRN_ROOT_PIN, or from the files that \
                CAIRN_ROOT_PASSPHRASE_FILE and CAIRN_ROOT_PIN_FILE name; for a new root from the same variables with \
                CAIRN_NEW_ROOT in the place of CAIRN_ROOT. They are never a flag.
                """, subcommands: [Show.self, Rotate.self, Switch.self])

        struct Show: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Show which root is in force, and that it opens the service's keys.")
            @OptionGroup var folder: StoppedFolder
            @Option(help: "table or json.") var output = OutputForm.table

            func run() throws {
                let (opened, setting) = try folder.open()
                let purposes = opened.keys.serviceKeys.compactMap(\.purpose)
                // Opening each of them is the test.
                for purpose in purposes { _ = try KeysCommand.Root.answering { try opened.keys.serviceKey(purpose) } }
                if output == .json {
                    return try printJSON([
                        "Kind": opened.keys.rootOfTrust, "Root": "\(setting)", "DataFolder": folder.path, "ServiceKeys": purposes,
                    ])
                }
                print("root of trust  \(setting)")
                print("opens          \(purposes.count) keys of the service: \(purposes.joined(separator: ", "))")
            }
        }

        struct Rotate: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Put every key under a new root of the same kind; no data is touched.")
            @OptionGroup var folder: StoppedFolder

            func run() throws {
                let (opened, setting) = try folder.open()
                let new: RootOfTrust
                switch setting {
                case .file: new = setting
                case .passphrase: new = .passphrase(try NewRoot.passphrase())
                case .token:
                    throw Failure.usage(
                        "make another key on the token, and then: cairn keys root switch --to token --new-key LABEL …")
                }
                try NewRoot.install(new, in: opened)
            }
        }

        struct Switch: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Put every key under another root; no data is touched.")
            @OptionGroup var folder: StoppedFolder
            @Option(help: "file, passphrase or token.") var to: Kind
            @Option(help: "Of a new token: path of the PKCS#11 module.") var newModule: String?
            @Option(help: "Of a new token: label of the token.") var newToken: String?
            @Option(help: "Of a new token: label of the AES key on it.") var newKey: String?

            enum Kind: String, ExpressibleByArgument, CaseIterable { case file, passphrase, token }

            func validate() throws {
                guard to != .token || (newModule != nil && newToken != nil && newKey != nil) else {
                    throw ValidationError("--to token needs --new-module, --new-token and --new-key")
                }
            }

            func run() throws {
                let (opened, _) = try folder.open()
                let new: RootOfTrust
                switch to {
                case .file: new = .file(folder.rootFile)
                case .passphrase: new = .passphrase(try NewRoot.passphrase())
                case .token:
                    let pin = try SecretInput(name: "PIN of the new token", variable: "CAIRN_NEW_ROOT_PIN", isNew: false).read()
                    new = .token(modulePath: newModule ?? "", tokenLabel: newToken ?? "", keyLabel: newKey ?? "", pin: pin)
                }
                try NewRoot.install(new, in: opened)
            }
        }
    }
}

/// A root that takes the place of the present one.
private enum NewRoot {
    static func passphrase() throws -> String {
        try SecretInput(name: "new passphrase", variable: "CAIRN_NEW_ROOT_PASSPHRASE", isNew: true).read()
    }

    static func install(_ new: RootOfTrust, in folder: StoppedFolder.Opened) throws {
        try KeysCommand.Root.answering { try folder.keys.rotateRoot(to: new) }
        print("every key is under a new root of trust: \(new)")
        switch new {
        case .file(let path):
            print("keep a copy of \(path) apart from the data folder; copies of the one before open nothing any more")
        case .passphrase:
            print("start the service with CAIRN_ROOT=passphrase and CAIRN_ROOT_PASSPHRASE or CAIRN_ROOT_PASSPHRASE_FILE")
        case .token:
            print(
                "start the service with CAIRN_ROOT=token, CAIRN_ROOT_MODULE, CAIRN_ROOT_TOKEN, CAIRN_ROOT_KEY and "
                    + "CAIRN_ROOT_PIN or CAIRN_ROOT_PIN_FILE")
        }
        print("backups that were made before need the root of their time")
    }
}

extension KeysCommand.Root {
    /// Errors of the keys as ends of a command.
    static func answering<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as KeyError {
            switch error {
            case .passphraseTooShort, .rootFileExists: throw Failure.usage("\(error)")
            case .wrongPassphrase, .rootMissing, .rootMalformed, .wrongRoot, .otherRoot, .token:
                throw Failure.unreachable("\(error)")
            default: throw Failure.no("\(error)")
            }
        }
    }
}
