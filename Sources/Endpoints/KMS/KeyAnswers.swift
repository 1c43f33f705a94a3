// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import KeyManagement

extension JSONFields {
    /// `KeyMetadata`; source: kms.md section 3.2.
    init(_ key: KeyRecord) {
        self.init()
        add(key.id, "KeyId")
        add(key.arn, "Arn")
        add(key.account, "Creator")
        add(key.description, "Description")
        add(wireTime(key.createdAt), "CreationDate")
        add(key.state.rawValue, "KeyState")
        add(key.spec.rawValue, "KeySpec")
        add(key.usage.rawValue, "KeyUsage")
        add(key.origin.rawValue, "Origin")
        add("SOFTWARE", "ProtectionLevel")
        add(key.primaryVersion?.uuidString.lowercased() ?? "", "PrimaryKeyVersion")
        add(wireTime(key.lastRotatedAt), "LastRotationDate")
        if let interval = key.rotationInterval, let next = key.nextRotationAt {
            add(key.state == .enabled ? "Enabled" : "Suspended", "AutomaticRotation")
            add("\(interval)s", "RotationInterval")
            add(wireTime(next), "NextRotationDate")
        } else {
            add("Disabled", "AutomaticRotation")
        }
        add(key.deleteAt.map(wireTime) ?? "", "DeleteDate")
        add(key.materialExpiresAt.map(wireTime) ?? "", "MaterialExpireTime")
        add(key.isDeletionProtected ? "Enabled" : "Disabled", "DeletionProtection")
        add(key.deletionProtectionDescription, "DeletionProtectionDescription")
    }

    init(_ version: KeyVersion, of keyId: String) {
        self.init()
        add(keyId, "KeyId")
        add(version.name, "KeyVersionId")
        add(wireTime(version.createdAt), "CreationDate")
    }

    init(_ alias: KeyAlias) {
        self.init()
        add(alias.name, "AliasName")
        add(alias.arn, "AliasArn")
        add(alias.keyId, "KeyId")
    }

    init(_ use: KeyUse) {
        self.init()
        add(use.keyId, "KeyId")
        add(use.version, "KeyVersionId")
    }

    /// A list in the element that the API puts around it: `Keys.Key[]`.
    mutating func add(_ elements: [JSONFields], _ element: String, in name: String) {
        var list = JSONFields()
        list.add(elements, element)
        add(list, name)
    }
}

/// - Parameter seconds: Unix time.
func wireTime(_ seconds: Int64) -> String { wireTime(Date(timeIntervalSince1970: TimeInterval(seconds))) }
