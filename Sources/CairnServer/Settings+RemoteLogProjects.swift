// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import ObjectStorage
import Trails

extension Settings {
    /// Another part of the configuration file that has no flags: projects of other log services, by the name that trails
    /// use.
    static let remoteLogProjectsName = "remote-log-projects"

    private static let keys =
        ["endpoint", "region", "project", "encryption", "kms-key-id", "kms-role-arn", "kms-region"]
        + RemoteEntryReader.accessKeys

    /// - Parameter configuration: text of the YAML file.
    static func readRemoteLogProjects(_ configuration: String?) throws(SettingsError) -> [RemoteLogProject] {
        try RemoteEntryReader.entries(
            of: remoteLogProjectsName, in: configuration, kind: "remote log project", known: keys
        ) { (name) throws(SettingsError) in
            guard LogProject.isName(name) else {
                throw .badFile(
                    "`\(name)` in `\(remoteLogProjectsName)` is not a project name that a trail can have: 3 to 63 of a-z, "
                        + "0-9 and -, a letter or digit first and last")
            }
        } read: { (entry) throws(SettingsError) in
            try entry.logProject()
        }
    }
}

extension RemoteEntryReader {
    private enum Encryption: String, CaseIterable { case none, `default`, sm4 }

    fileprivate func logProject() throws(SettingsError) -> RemoteLogProject {
        let endpoint = try endpoint("endpoint", required("endpoint"))
        let region = try text(
            "region", required("region"), allowed: Self.isNameByte, count: 1...64, "a region id such as cn-hangzhou")
        let real = value("project") ?? name
        guard LogProject.isName(real) else { throw invalid("project", real, "the name of a project") }
        if endpoint.host.hasPrefix(real + ".") {
            throw invalid("endpoint", endpoint.description, "the endpoint without the project before it")
        }
        var project = RemoteLogProject(
            name: name, endpoint: endpoint, region: region, project: real, access: try access(endpoint))
        project.encryption = try logEncryption(region)
        return project
    }

    private func logEncryption(_ region: String) throws(SettingsError) -> RemoteLogProject.Encryption? {
        let type = try choice("encryption", Encryption.self)
        var key: RemoteLogProject.Encryption.Key?
        switch (value("kms-key-id"), value("kms-role-arn")) {
        case (nil, nil):
            guard value("kms-region") == nil else { throw wrong("`kms-region` is for `kms-key-id`") }
        case (let id?, let role?):
            guard Self.isRole(role) else { throw invalid("kms-role-arn", role, "acs:ram::ACCOUNT:role/NAME") }
            key = .init(
                id: try text("kms-key-id", id, allowed: Self.isVisible, count: 1...512, "the id of a KMS key"), roleARN: role,
                region: try text(
                    "kms-region", value("kms-region") ?? region, allowed: Self.isNameByte, count: 1...64, "a region id"))
        default:
            throw wrong("`kms-key-id` and `kms-role-arn` belong together: the log service uses the key under that role")
        }
        switch type {
        case .none?:
            guard key == nil else { throw wrong("`kms-key-id` without encryption: leave it out, or set `encryption: default`") }
            return nil
        case nil: return key.map { .init(type: Encryption.default.rawValue, key: $0) }
        case let type?: return .init(type: type.rawValue, key: key)
        }
    }
}
