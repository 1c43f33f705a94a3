// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

extension KeyService {
    /// Switches automatic rotation; source: kms.md section 4.4. A version that is due by the new interval is made at once.
    ///
    /// - Parameter interval: such as `30d`; needed to switch it on.
    public func setRotation(_ isOn: Bool, interval: String?, of id: String) throws {
        var seconds: Int64?
        if isOn {
            guard let interval else { throw KeyError.invalid("RotationInterval", "it is needed for automatic rotation") }
            seconds = try KeyRules.rotationInterval(interval)
        }
        try change(id, .rotate) { content in
            try KeyRules.checkRotatable(content.record)
            content.record.rotationInterval = seconds
            if let next = content.record.nextRotationAt, next <= now { try rotate(&content) }
        }
    }

    /// A new version of an asymmetric key, at least seven days after the last one.
    public func createVersion(of id: String) throws -> KeyVersion {
        let record = try cell(id).record
        if let refusal = KeyAction.rotate.refusal(in: record.state) { throw refusal }
        guard !record.spec.isSymmetric else {
            throw KeyError.notSupported("symmetric keys get their versions by automatic rotation")
        }
        let material = try record.spec.makeMaterial()
        return try change(id, .rotate) { content in
            guard content.record.lastRotatedAt + 7 * KeyRules.day <= now else {
                throw KeyError.limitExceeded("versions of a key in seven days", limit: 1)
            }
            try checkVersions(content)
            try addVersion(to: &content, material: material)
            return content.versions.last!.version
        }
    }

    /// The next version of a symmetric key.
    func rotate(_ content: inout KeyCell.Content) throws {
        try checkVersions(content)
        try addVersion(to: &content, material: SymmetricKey(size: .bits256))
    }

    private func checkVersions(_ content: KeyCell.Content) throws(KeyError) {
        guard content.versions.count < limits.versions else {
            throw .limitExceeded("versions of a key", limit: limits.versions)
        }
    }
}
