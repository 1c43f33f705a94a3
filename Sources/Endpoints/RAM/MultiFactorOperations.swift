// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// Virtual devices that show one-time passwords: ram.md section 2.2.
///
/// Users make a device of their own name and bind it to themselves; to take one away needs a policy, for whoever holds a
/// stolen key would begin with that.
extension RPCOperation {
    static let createVirtualMFADevice = RPCOperation.identity(
        "CreateVirtualMFADevice", isWrite: true, on: .devices, selfService: \.usersManageDevices,
        ownName: "VirtualMFADeviceName"
    ) { call in
        let name = try call.required("VirtualMFADeviceName")
        let (serialNumber, seed) = try call.identities.createDevice(name, account: call.account)
        let address = "otpauth://totp/Cairn:\(name)@\(call.account)?secret=\(seed.reveal())&issuer=Cairn"
        var fields = JSONFields()
        fields.add(serialNumber, "SerialNumber")
        fields.add(seed.reveal(), "Base32StringSeed")
        fields.add(try QRCode.png(of: address).base64EncodedString(), "QRCodePNG")
        return RPCAnswer(fields, as: "VirtualMFADevice")
    }

    static let listVirtualMFADevices = RPCOperation.identity("ListVirtualMFADevices", on: .devices) { call in
        var answer = JSONFields()
        answer.add(
            call.identities.devices(account: call.account).map { device in
                var fields = JSONFields()
                fields.add(device.serialNumber, "SerialNumber")
                fields.add(device.activatedAt.map { wireTime($0) }, "ActivateDate")
                if let user = device.user {
                    var owner = JSONFields()
                    owner.add(user.id, "UserId")
                    owner.add(user.name, "UserName")
                    owner.add(user.details.displayName, "DisplayName")
                    fields.add(owner, "User")
                }
                return fields
            }, "VirtualMFADevice", in: "VirtualMFADevices")
        return RPCAnswer(answer)
    }

    static let deleteVirtualMFADevice = RPCOperation.identity("DeleteVirtualMFADevice", isWrite: true, on: .device) { call in
        try call.identities.deleteDevice(serialNumber: call.required("SerialNumber"), account: call.account)
        return RPCAnswer()
    }

    static let bindMFADevice = RPCOperation.identity(
        "BindMFADevice", isWrite: true, on: .user, selfService: \.usersManageDevices
    ) { call in
        try call.identities.bindDevice(
            serialNumber: call.required("SerialNumber"), to: call.userName(),
            codes: (call.authenticationCode(1), call.authenticationCode(2)), account: call.account)
        return RPCAnswer()
    }

    static let unbindMFADevice = RPCOperation.identity("UnbindMFADevice", isWrite: true, on: .user) { call in
        var fields = JSONFields()
        fields.add(try call.identities.unbindDevice(ofUser: call.userName(), account: call.account), "SerialNumber")
        return RPCAnswer(fields, as: "MFADevice")
    }

    static let getUserMFAInfo = RPCOperation.identity(
        "GetUserMFAInfo", on: .user, selfService: \.usersManageDevices
    ) { call in
        var fields = JSONFields()
        fields.add(try call.identities.device(ofUser: call.userName(), account: call.account), "SerialNumber")
        fields.add("VMFA", "Type")
        return RPCAnswer(fields, as: "MFADevice")
    }
}

extension IdentityCall {
    fileprivate func authenticationCode(_ number: Int) throws -> String {
        let name = "AuthenticationCode\(number)"
        let code = try required(name)
        guard code.utf8.count == 6, code.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw DirectoryError.invalid(field: name, .format)
        }
        return code
    }
}
