// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CairnServer
import Foundation
import Testing

@Suite struct `The remote log projects of the settings` {
    private func settings(_ file: String) throws(SettingsError) -> Settings {
        try Settings(flags: [:], environment: [:], configuration: file)
    }

    /// An entry that is right, with lines changed: `nil` takes one away.
    private func entry(_ changes: [String: String?] = [:]) -> String {
        var lines = [
            "endpoint": "https://cn-hangzhou.log.aliyuncs.com", "region": "cn-hangzhou", "access-key-id": "LTAIMADEUP",
            "access-key-secret-env": "LOG_SECRET",
        ]
        for (key, value) in changes { lines[key] = value }
        return "region: local-1\nremote-log-projects:\n  audit-logs:\n"
            + lines.sorted { $0.key < $1.key }.map { "    \($0.key): \($0.value)\n" }.joined()
    }

    @Test func `are read as written, beside remote buckets`() throws {
        let read = try settings(
            """
            remote-buckets:
              audit-archive: { kind: s3, endpoint: "https://s3.example.org", region: eu-west-1, access-key-id: K,
                access-key-secret-env: S }
            remote-log-projects:
              audit-logs: { endpoint: "https://logs.example.org:8422", region: local-1, project: real-name,
                access-key-id: 0012, access-key-secret-file: /run/secret, ca-file: /etc/ca.pem, encryption: sm4 }
              second-copy: { endpoint: https://cn-hangzhou.log.aliyuncs.com, region: cn-hangzhou, access-key-id: LTAI,
                access-key-secret-env: SECRET, session-token-env: TOKEN,
                role-arn: "acs:ram::1000000000000001:role/delivery", sts-endpoint: https://sts.example.org,
                kms-key-id: key-1, kms-role-arn: "acs:ram::1000000000000001:role/log-keys" }
            """)
        #expect(read.remoteBuckets.map(\.name) == ["audit-archive"])
        let projects = read.remoteLogProjects
        #expect(projects.map(\.name) == ["audit-logs", "second-copy"])
        let (first, second) = (projects[0], projects[1])
        #expect(first.project == "real-name" && first.access.accessKeyId == "0012" && first.access.secret == .file("/run/secret"))
        #expect(first.endpoint.description == "https://logs.example.org:8422" && first.access.caFile == "/etc/ca.pem")
        #expect(first.encryption == .init(type: "sm4") && first.access.role == nil)
        #expect(second.project == "second-copy" && second.access.sessionToken == .environment("TOKEN"))
        #expect(second.access.role?.arn == "acs:ram::1000000000000001:role/delivery")
        let key = try #require(second.encryption?.key)
        #expect(second.encryption?.type == "default" && key.id == "key-1" && key.region == "cn-hangzhou")
        #expect(try settings("region: local-1\n").remoteLogProjects.isEmpty)
        #expect(try settings("remote-log-projects:\n").remoteLogProjects.isEmpty)
        #expect(try settings(entry()).remoteLogProjects[0].encryption == nil)
    }

    @Test(
        arguments: [
            ("endpoint", nil, "`endpoint` is missing"), ("endpoint", "http://logs.example.org", "allow-http"),
            ("endpoint", "https://audit-logs.cn-hangzhou.log.aliyuncs.com", "without the project"),
            ("region", nil, "`region` is missing"), ("access-key-id", nil, "is missing"),
            ("access-key-secret-env", nil, "`access-key-secret-file` or"),
            ("access-key-secret", "made-up-secret", "does not belong"), ("project", "Bad_Name", "the name of a project"),
            ("kind", "sls", "there is no `kind`"), ("encryption", "rot13", "sm4"), ("kms-key-id", "k", "belong together"),
            ("kms-region", "cn-hangzhou", "is for `kms-key-id`"), ("role-arn", "acs:ram::1:role/x", "belong together"),
        ] as [(String, String?, String)])
    func `are refused with what is wrong, and no secret`(key: String, value: String?, expected: String) {
        #expect {
            try settings(entry([key: value]))
        } throws: { error in
            "\(error)".contains(expected) && "\(error)".contains("audit-logs") && !"\(error)".contains("made-up-secret")
        }
    }

    @Test(arguments: [
        ["kms-key-id": "k", "kms-role-arn": "nonsense"],
        ["kms-key-id": "k", "kms-role-arn": "acs:ram::1:role/x", "encryption": "none"],
        ["endpoint": "http://127.0.0.1:8422", "ca-file": "/x"],
    ]) func `are refused where parts do not fit`(changes: [String: String]) {
        #expect(throws: SettingsError.self) { try settings(entry(changes.mapValues { $0 })) }
    }

    @Test func `are a mapping of names`() {
        for bad in ["remote-log-projects: [a]", "remote-log-projects: text", "remote-log-projects: { Bad_Name: {} }"] {
            #expect(throws: SettingsError.self, "\(bad)") { try settings(bad) }
        }
    }
}
