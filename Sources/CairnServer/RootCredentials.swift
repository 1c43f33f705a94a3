// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import DurableFiles
import Foundation

/// The root access key of the account: from the environment, else made on the first start.
public enum RootCredentials {
    /// `<data>/root-credentials.json`, mode 0600.
    public struct File: Codable, Sendable {
        public var AccountId: String
        public var AccessKeyId: String
        public var AccessKeySecret: String
    }

    public static let fileName = "root-credentials.json"

    static func prepare(
        folder: String, accountId: String, identities: IdentityStore, environment: [String: String], disk: any Disk
    ) throws {
        let id = environment["CAIRN_ROOT_ACCESS_KEY_ID"].flatMap { $0.isEmpty ? nil : $0 }
        let secret = environment["CAIRN_ROOT_ACCESS_KEY_SECRET"].flatMap { $0.isEmpty ? nil : $0 }
        switch (id, secret) {
        case (let id?, let secret?):
            guard id.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x2C && $0 != 0x3A && $0 != 0x2F }),
                id.utf8.count <= 128
            else {
                throw StartError.badCredentials("CAIRN_ROOT_ACCESS_KEY_ID holds characters that no access key id has")
            }
            try identities.putRootKey(id: id, secret: secret, accountId: accountId)
        case (nil, nil):
            guard !identities.hasRootKey(accountId: accountId) else { return }
            let file = File(
                AccountId: accountId, AccessKeyId: "LTAI5t" + RandomText.make(18), AccessKeySecret: RandomText.make(30))
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            // The file first: a key whose secret nobody can read any more would lock everyone out.
            try disk.replace(folder + "/" + fileName, with: [UInt8](encoder.encode(file)) + [0x0A])
            try identities.putRootKey(id: file.AccessKeyId, secret: file.AccessKeySecret, accountId: accountId)
        default:
            throw StartError.badCredentials(
                "CAIRN_ROOT_ACCESS_KEY_ID and CAIRN_ROOT_ACCESS_KEY_SECRET belong together: one of them is missing")
        }
    }

}
