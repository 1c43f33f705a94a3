// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CairnServer
import Foundation
import Testing

@Suite struct `The remote buckets of the settings` {
    private func settings(_ file: String) throws(SettingsError) -> Settings {
        try Settings(flags: [:], environment: [:], configuration: file)
    }

    /// An entry that is right, with lines changed: `nil` takes one away.
    private func entry(_ changes: [String: String?] = [:]) -> String {
        var lines = [
            "kind": "s3", "endpoint": "https://s3.example.org", "region": "eu-west-1", "access-key-id": "AKMADEUP",
            "access-key-secret-env": "ARCHIVE_SECRET",
        ]
        for (key, value) in changes { lines[key] = value }
        return "region: local-1\nremote-buckets:\n  audit-archive:\n"
            + lines.sorted { $0.key < $1.key }.map { "    \($0.key): \($0.value)\n" }.joined()
    }

    @Test func `are read as written`() throws {
        let buckets = try settings(
            """
            remote-buckets:
              audit-archive: { kind: s3, endpoint: "https://s3.example.org:9000", region: us-east-1, bucket: real.name,
                access-key-id: 0012, access-key-secret-file: /run/secret, path-style: true, kms-key-id: key-1,
                retention-mode: compliance, retention-days: 184, ca-file: /etc/ca.pem }
              second-copy: { kind: oss, endpoint: https://oss-cn-hangzhou.aliyuncs.com, region: cn-hangzhou,
                access-key-id: LTAI, access-key-secret-env: SECRET, session-token-env: TOKEN, encryption: aes256,
                role-arn: "acs:ram::1000000000000001:role/delivery", sts-endpoint: https://sts.example.org }
            """
        ).remoteBuckets
        #expect(buckets.map(\.name) == ["audit-archive", "second-copy"])
        let (first, second) = (buckets[0], buckets[1])
        #expect(first.kind == .s3 && first.bucket == "real.name" && first.accessKeyId == "0012" && first.isPathStyle)
        #expect(first.endpoint.description == "https://s3.example.org:9000" && first.secret == .file("/run/secret"))
        #expect(first.encryption == .kms && first.kmsKeyId == "key-1" && first.caFile == "/etc/ca.pem")
        #expect(first.retentionMode == .compliance && first.retentionDays == 184)
        #expect(second.kind == .oss && second.bucket == "second-copy" && !second.isPathStyle)
        #expect(second.role?.arn == "acs:ram::1000000000000001:role/delivery" && second.sessionToken == .environment("TOKEN"))
        #expect(second.encryption == .aes256 && second.retentionMode == .none)
        #expect(try settings("region: local-1\n").remoteBuckets.isEmpty)
        #expect(try settings("remote-buckets:\n").remoteBuckets.isEmpty)
    }

    @Test func `have defaults that follow from what is given`() throws {
        #expect(try settings(entry(["retention-days": "30"])).remoteBuckets[0].retentionMode == .compliance)
        #expect(try settings(entry(["kms-key-id": "k"])).remoteBuckets[0].encryption == .kms)
        #expect(try settings(entry()).remoteBuckets[0].isPathStyle)
        #expect(try settings(entry(["endpoint": "http://127.0.0.1:9000"])).remoteBuckets.count == 1)
        #expect(try settings(entry(["endpoint": "http://s3.lan", "allow-http": "true"])).remoteBuckets.count == 1)
    }

    @Test(
        arguments: [
            ("kind", "ftp", "`kind` of remote bucket `audit-archive`"), ("kind", nil, "`kind` is missing"),
            ("endpoint", nil, "`endpoint` is missing"), ("endpoint", "s3.example.org", "https://HOST"),
            ("endpoint", "http://s3.example.org", "allow-http"), ("endpoint", "https://s3.example.org/path", "nothing behind"),
            ("region", nil, "`region` is missing"), ("region", "Has Space", "region id"), ("access-key-id", nil, "is missing"),
            ("access-key-secret-env", nil, "`access-key-secret-file` or"), ("access-key-secret-file", "/x", "not both"),
            ("access-key-secret", "made-up-secret", "does not belong"), ("session-token", "made-up-secret", "does not belong"),
            ("access-key-secret-env", "made-up-secret", "name of an environment variable"),
            ("colour", "blue", "there is no `colour`"),
            ("bucket", "A", "name of a bucket"), ("path-style", "maybe", "true or false"), ("encryption", "rot13", "aes256"),
            ("retention-mode", "COMPLIANCE", "needs `retention-days`"), ("retention-mode", "FOREVER", "GOVERNANCE"),
            ("retention-days", "0", "from 1 to 36500"), ("retention-days", "many", "from 1 to 36500"),
            ("role-arn", "acs:ram::1:role/x", "belong together"), ("ca-file", "[a, b]", "should be one value"),
        ] as [(String, String?, String)])
    func `are refused with what is wrong, and no secret`(key: String, value: String?, expected: String) {
        #expect {
            try settings(entry([key: value]))
        } throws: { error in
            "\(error)".contains(expected) && "\(error)".contains("audit-archive") && !"\(error)".contains("made-up-secret")
        }
    }

    @Test(arguments: [
        ["encryption": "none", "kms-key-id": "k"], ["retention-mode": "none", "retention-days": "3"],
        ["kind": "oss", "retention-mode": "GOVERNANCE", "retention-days": "3"], ["kind": "oss", "region": "oss-cn-hangzhou"],
        ["kind": "oss", "endpoint": "https://oss-cn-hangzhou.aliyuncs.com", "path-style": "true"],
        ["role-arn": "acs:ram::1:role/x", "sts-endpoint": "https://sts.example.org"],
        ["kind": "oss", "role-arn": "nonsense", "sts-endpoint": "https://sts.example.org"],
        ["kind": "oss", "role-arn": "acs:ram::1:role/x", "sts-endpoint": "http://sts.example.org"],
        ["kind": "oss", "retention-days": "30000"], ["endpoint": "http://127.0.0.1:1", "ca-file": "/x"],
    ]) func `are refused where parts do not fit`(changes: [String: String]) {
        #expect(throws: SettingsError.self) { try settings(entry(changes.mapValues { $0 })) }
    }

    @Test func `are a mapping of names`() {
        for bad in [
            "remote-buckets: [a]", "remote-buckets: text", "remote-buckets: { Bad_Name: {} }", "remote-buckets: { abc: 1 }",
        ] {
            #expect(throws: SettingsError.self, "\(bad)") { try settings(bad) }
        }
    }
}
