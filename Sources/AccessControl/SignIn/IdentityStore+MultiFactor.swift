// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What may be told of a virtual device.
public struct MultiFactorDeviceInfo: Sendable {
    public let serialNumber: String
    public let activatedAt: Int64?
    public let user: UserRecord?
}

/// One-time passwords as a second factor: ram.md section 2.2.
extension IdentityStore {
    private static let seedBytes = 32
    private static let devicesPerAccount = 2 * usersPerAccount

    /// - Returns: the serial number and the seed, which is never told again.
    public func createDevice(_ name: String, account: String) throws -> (serialNumber: String, seed: Secret) {
        try DirectoryNames.checkDevice(name)
        return try change { draft in
            let directory = draft.account(account)
            guard directory.devices.named(name) == nil else { throw DirectoryError.alreadyExists(.device) }
            guard directory.devices.count < Self.devicesPerAccount else { throw DirectoryError.limitExceeded(.device) }
            var random = SystemRandomNumberGenerator()
            let seed = (0..<Self.seedBytes).map { _ in UInt8.random(in: 0...255, using: &random) }
            var device = MultiFactorDevice(name: name, accountId: account, sealedSeed: Data())
            device.sealedSeed = Data(try key.seal(Data(seed), context: device.context))
            draft.put(device, in: account)
            return (device.serialNumber, Secret(OneTimePassword.base32(seed)))
        }
    }

    public func devices(account: String) -> [MultiFactorDeviceInfo] {
        let directory = self.account(account)
        return directory.devices.sorted.map { device in
            MultiFactorDeviceInfo(
                serialNumber: device.serialNumber, activatedAt: device.activatedAt,
                user: device.userId.flatMap { directory.users[$0] })
        }
    }

    /// - Throws: `DeleteConflict.VirtualMFADevice.User` as long as a user has it.
    public func deleteDevice(serialNumber: String, account: String) throws {
        try change { draft in
            let device = try draft.account(account).device(serialNumber)
            guard device.userId == nil else { throw DirectoryError.inUse(.deviceUser) }
            draft.remove(device, from: account)
        }
    }

    /// Gives the device to the user, who shows two consecutive codes of it.
    public func bindDevice(
        serialNumber: String, to name: String, codes: (String, String), account: String
    ) throws {
        try change { draft in
            let directory = draft.account(account)
            let user = try directory.user(name)
            var device = try directory.device(serialNumber)
            guard directory.device(ofUser: user.id) == nil, device.userId == nil else {
                throw DirectoryError.alreadyExists(.userDevice)
            }
            try beginAttempt(of: user, directory.settings.passwordPolicy)
            let seed = try key.unseal(device.sealedSeed, context: device.context)
            // The second may be the code of the step that is yet to come, by a clock ahead of ours.
            let first = (draft.now / OneTimePassword.stepSeconds - 2...draft.now / OneTimePassword.stepSeconds + 1).first {
                ConstantTime.equal(OneTimePassword.code(seed: seed, step: $0), codes.0)
                    && ConstantTime.equal(OneTimePassword.code(seed: seed, step: $0 + 1), codes.1)
            }
            guard let first else { throw DirectoryError.wrongAuthenticationCode }
            attempts.withLock { $0.succeed(user.id) }
            device.userId = user.id
            device.activatedAt = draft.now
            device.usedStep = first + 1
            draft.put(device, in: account)
        }
    }

    /// - Returns: the device's serial number.
    public func unbindDevice(ofUser name: String, account: String) throws -> String {
        try change { draft in
            let directory = draft.account(account)
            guard var device = directory.device(ofUser: try directory.user(name).id) else {
                throw DirectoryError.notFound(.userDevice)
            }
            device.userId = nil
            device.activatedAt = nil
            draft.put(device, in: account)
            return device.serialNumber
        }
    }

    /// The name under which a device is kept; what stands last in the serial number if there is none.
    public func canonicalName(ofDevice serialNumber: String, account: String) -> String {
        (try? self.account(account).device(serialNumber))?.name
            ?? serialNumber.split(separator: "/").last.map(String.init) ?? serialNumber
    }

    /// - Returns: the serial number of the user's device.
    public func device(ofUser name: String, account: String) throws -> String {
        let directory = self.account(account)
        guard let device = directory.device(ofUser: try directory.user(name).id) else {
            throw DirectoryError.notFound(.userDevice)
        }
        return device.serialNumber
    }
}

extension AccountDirectory {
    fileprivate func device(_ serialNumber: String) throws(DirectoryError) -> MultiFactorDevice {
        let name = serialNumber.utf8.lastIndex(of: UInt8(ascii: "/")).map { serialNumber[serialNumber.utf8.index(after: $0)...] }
        guard let device = devices.named(String(name ?? "")),
            DirectoryNames.folded(device.serialNumber) == DirectoryNames.folded(serialNumber)
        else { throw .notFound(.device) }
        return device
    }

    func device(ofUser id: String) -> MultiFactorDevice? { devices.records.values.first { $0.userId == id } }
}
