// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import LogService

/// Encryption as asked for and as told; source: sls.md section 15.
extension SLSHandler {
    /// The members of the object are spelt in two ways.
    struct EncryptionNames {
        var type: [String]
        var key: String
        var keyId: String
        var role: String
        var regions: [String]

        /// Of a logstore that is made or changed; a sample of the vendor's says `encrypt_conf` for the type and `region`.
        static let creation = EncryptionNames(
            type: ["encrypt_type", "encrypt_conf"], key: "user_cmk_info", keyId: "cmk_key_id", role: "arn",
            regions: ["region_id", "region"])
        /// Of the call for encryption alone.
        static let update = EncryptionNames(
            type: ["encryptType"], key: "userCmkInfo", keyId: "keyId", role: "roleArn", regions: ["regionId"])
    }

    private static let types: Set = [
        "default", "m4", "sm4", "sm4_ecb", "sm4_cbc", "sm4_gcm", "aes_ecb", "aes_cbc", "aes_cfb", "aes_ofb", "aes_gcm",
    ]

    func readEncryption(_ fields: SLSFields, names: EncryptionNames) throws -> LogstoreEncryption {
        let isEnabled = try fields.flag("enable") ?? false
        let type = try names.type.compactMap { try fields.text($0) }.first ?? "default"
        guard Self.types.contains(type) else { throw LogServiceError.parameter("The encryption type \(type) is unknown.") }
        guard let key = try fields.object(names.key) else {
            return LogstoreEncryption(isEnabled: isEnabled, type: type, keyId: nil, roleArn: nil, regionId: nil)
        }
        let region = try names.regions.compactMap { try key.text($0) }.first { !$0.isEmpty }
        if let region, region != services.region {
            throw LogServiceError.parameter("The key must be in the region of the project, \(services.region).")
        }
        return LogstoreEncryption(
            isEnabled: isEnabled, type: type, keyId: try key.filled(names.keyId),
            roleArn: try key.text(names.role).flatMap { $0.isEmpty ? nil : $0 }, regionId: region)
    }

    func updateEncryption(of logstore: Logstore) async throws -> WireAnswer {
        let encryption = try readEncryption(try SLSFields(json: body), names: .update)
        try authorizeKey(of: encryption)
        try await services.logs.updateEncryption(encryption, of: logstore)
        return Self.empty
    }

    static func fields(of encryption: LogstoreEncryption) -> JSONFields {
        var fields = JSONFields()
        fields.add(encryption.isEnabled, "enable")
        fields.add(encryption.type, "encrypt_type")
        if let keyId = encryption.keyId {
            var key = JSONFields()
            key.add(keyId, "cmk_key_id")
            key.add(encryption.roleArn, "arn")
            key.add(encryption.regionId, "region_id")
            fields.add(key, "user_cmk_info")
        }
        return fields
    }

    /// A key is used in a role that the caller may pass to the service, or else in the caller's own right.
    func authorizeKey(of encryption: LogstoreEncryption) throws {
        guard let keyId = encryption.keyId else { return }
        let key = "acs:kms:\(services.region):\(caller.accountId):key/\(keyId)"
        let uses = ["kms:GenerateDataKey", "kms:Decrypt"].map { AccessRequest($0, on: key) }
        guard let arn = encryption.roleArn else { return try demand(uses) }
        let service = "log.aliyuncs.com"
        let prefix = "acs:ram::\(caller.accountId):role/"
        guard arn.lowercased().hasPrefix(prefix), arn.utf8.count > prefix.utf8.count else {
            throw LogServiceError.parameter("\(arn) is no role of the account \(caller.accountId).")
        }
        let name = services.identities.canonicalName(
            of: .role(String(arn.dropFirst(prefix.count))), account: caller.accountId)
        try demand([
            AccessRequest(
                "ram:PassRole", on: "acs:ram:*:\(caller.accountId):role/\(name)", conditions: ["acs:Service": [service]])
        ])
        guard let role = try? services.identities.role(name, account: caller.accountId),
            let trust = try? PolicyDocument(parsing: role.trust, as: .trust),
            case .allowed = try services.authorizer.decideAssumeRole(
                .service(service, accountId: caller.accountId), AccessRequest("sts:AssumeRole", on: role.arn),
                in: RequestCircumstances(call.request, at: services.wireNow),
                trust: ResourcePolicy(trust, owner: role.accountId))
        else {
            throw LogServiceError.parameter(
                "\(service) may not assume the role \(name): it does not exist, or its trust policy does not name the service.")
        }
        // Whoever may pass the role does not gain more than the role has.
        let session = Caller.Session(
            roleId: role.id, roleName: role.name, name: "log", createdAt: services.wireNow, isMultiFactor: false)
        try demand(uses, of: .assumedRole(session, accountId: role.accountId, accessKeyId: nil))
    }
}
