// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import ObjectStorage
import Yams

extension Settings {
    /// The part of the configuration file that has no flags: buckets of other stores, by the name that trails use.
    static let remoteBucketsName = "remote-buckets"

    private static let keys = [
        "kind", "endpoint", "region", "bucket", "access-key-id", "access-key-secret-file", "access-key-secret-env",
        "session-token-file", "session-token-env", "role-arn", "sts-endpoint", "path-style", "encryption", "kms-key-id",
        "retention-mode", "retention-days", "ca-file", "allow-http",
    ]

    /// - Parameter configuration: text of the YAML file.
    static func readRemoteBuckets(_ configuration: String?) throws(SettingsError) -> [RemoteBucket] {
        guard let configuration else { return [] }
        // As nodes: a value is taken as it is written, not as the number or date that it looks like.
        let node: Node?
        do { node = try Yams.compose(yaml: configuration) } catch { throw .badFile("\(error)") }
        guard let section = node?.mapping?.first(where: { $0.key.string == remoteBucketsName })?.value else { return [] }
        if section.scalar.map({ ["", "~", "null"].contains($0.string) }) ?? false { return [] }
        guard let buckets = section.mapping else {
            throw .badFile("`\(remoteBucketsName)` should be a mapping from the bucket name of trails to where it is")
        }
        var read: [RemoteBucket] = []
        for (key, value) in buckets {
            guard let name = key.string, EmbeddedObjectStore.isBucketName(name) else {
                throw .badFile(
                    "`\(key.string ?? "?")` in `\(remoteBucketsName)` is not a bucket name that a trail can have: 3 to 63 of a-z, "
                        + "0-9 and -")
            }
            read.append(try RemoteBucketReader(name: name, node: value, known: keys).bucket())
        }
        return read
    }
}

/// Reads one entry of `remote-buckets`.
private struct RemoteBucketReader {
    let name: String
    private let values: [String: String]

    init(name: String, node: Node, known: [String]) throws(SettingsError) {
        self.name = name
        guard let mapping = node.mapping else {
            throw .badFile("remote bucket `\(name)` should be a mapping with kind, endpoint, region and so on")
        }
        var values: [String: String] = [:]
        for (key, value) in mapping {
            let text = key.string ?? "?"
            guard text != "access-key-secret", text != "session-token" else {
                throw .badFile(
                    "remote bucket `\(name)`: a secret does not belong into the configuration; give `\(text)-file` or `\(text)-env`"
                )
            }
            guard known.contains(text) else {
                throw .badFile("remote bucket `\(name)`: there is no `\(text)`; there are \(known.joined(separator: ", "))")
            }
            guard let scalar = value.scalar else { throw .badFile("remote bucket `\(name)`: `\(text)` should be one value") }
            values[text] = scalar.string
        }
        self.values = values
    }

    private func wrong(_ problem: String) -> SettingsError { .badFile("remote bucket `\(name)`: \(problem)") }

    private func invalid(_ key: String, _ value: String, _ wanted: String) -> SettingsError {
        .invalid(source: "`\(key)` of remote bucket `\(name)`", value: value, wanted: wanted)
    }

    private func value(_ key: String) -> String? { values[key].flatMap { $0.isEmpty ? nil : $0 } }

    private func required(_ key: String) throws(SettingsError) -> String {
        guard let value = value(key) else { throw wrong("`\(key)` is missing") }
        return value
    }

    private func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, _: Choice.Type
    ) throws(SettingsError) -> Choice? {
        guard let text = value(key) else { return nil }
        guard let choice = Choice.allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() }) else {
            throw invalid(key, text, Choice.allCases.map(\.rawValue).joined(separator: ", or "))
        }
        return choice
    }

    private func flag(_ key: String) throws(SettingsError) -> Bool? {
        guard let text = value(key) else { return nil }
        guard let flag = Bool(text.lowercased()) else { throw invalid(key, text, "true or false") }
        return flag
    }

    private func text(_ key: String, _ value: String, allowed: (UInt8) -> Bool, count: ClosedRange<Int>, _ wanted: String)
        throws(SettingsError) -> String
    {
        guard count.contains(value.utf8.count), value.utf8.allSatisfy(allowed) else { throw invalid(key, value, wanted) }
        return value
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
    }
    private static func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }

    private func endpoint(_ key: String, _ text: String) throws(SettingsError) -> RemoteEndpoint {
        guard let endpoint = RemoteEndpoint(text) else {
            throw invalid(key, text, "https://HOST or https://HOST:PORT, with nothing behind")
        }
        let allowsHTTP = try flag("allow-http") ?? false
        guard endpoint.isTLS || endpoint.isLoopback || allowsHTTP else {
            throw invalid(key, text, "https; set `allow-http: true` if something else protects the way there")
        }
        return endpoint
    }

    /// A secret's place. What was given is never repeated: it may be the secret itself, put in the wrong line.
    private func secret(_ key: String) throws(SettingsError) -> SecretSource? {
        switch (value(key + "-file"), value(key + "-env")) {
        case (nil, nil): return nil
        case (let file?, nil): return .file(file)
        case (nil, let variable?):
            let isName = variable.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
            guard isName else {
                throw wrong("`\(key)-env` should be the name of an environment variable: capitals, digits and _")
            }
            return .environment(variable)
        case (_?, _?): throw wrong("give `\(key)-file` or `\(key)-env`, not both")
        }
    }

    func bucket() throws(SettingsError) -> RemoteBucket {
        guard let kind = try choice("kind", RemoteBucket.Kind.self) else { throw wrong("`kind` is missing: s3 or oss") }
        let endpoint = try endpoint("endpoint", required("endpoint"))
        let region = try text(
            "region", required("region"), allowed: Self.isNameByte, count: 1...64, "a region id such as cn-hangzhou or eu-west-1")
        if kind == .oss, region.hasPrefix("oss-") {
            throw invalid("region", region, "the region id without `oss-`: \(region.dropFirst(4))")
        }
        let real = try text(
            "bucket", value("bucket") ?? name, allowed: { Self.isNameByte($0) || (kind == .s3 && $0 == 0x2E) }, count: 3...63,
            "the name of a bucket")
        let id = try text(
            "access-key-id", required("access-key-id"), allowed: Self.isVisible, count: 1...128, "the id of an access key")
        guard let secret = try secret("access-key-secret") else {
            throw wrong("give `access-key-secret-file` or `access-key-secret-env`")
        }
        let isPathStyle = try flag("path-style")
        if isPathStyle == true, endpoint.host.hasSuffix("aliyuncs.com") {
            throw invalid("path-style", "true", "false: OSS takes no path style")
        }
        var bucket = RemoteBucket(
            name: name, kind: kind, endpoint: endpoint, region: region, bucket: real, accessKeyId: id, secret: secret,
            isPathStyle: isPathStyle)
        bucket.sessionToken = try self.secret("session-token")
        bucket.role = try role(kind)
        bucket.caFile = value("ca-file")
        if bucket.caFile != nil, !endpoint.isTLS { throw wrong("`ca-file` is for https endpoints") }
        try setEncryption(&bucket)
        try setRetention(&bucket)
        return bucket
    }

    private func role(_ kind: RemoteBucket.Kind) throws(SettingsError) -> RemoteBucket.Role? {
        switch (value("role-arn"), value("sts-endpoint")) {
        case (nil, nil): return nil
        case (let arn?, let endpoint?):
            guard kind == .oss else {
                throw wrong("`role-arn` is for kind oss; for s3 give a session token, renewed in its file by whoever issues it")
            }
            guard arn.wholeMatch(of: #/acs:ram::\d{1,32}:role/[A-Za-z0-9._-]{1,64}/#) != nil else {
                throw invalid("role-arn", arn, "acs:ram::ACCOUNT:role/NAME")
            }
            return .init(arn: arn, stsEndpoint: try self.endpoint("sts-endpoint", endpoint))
        default: throw wrong("`role-arn` and `sts-endpoint` belong together: one of them is missing")
        }
    }

    private func setEncryption(_ bucket: inout RemoteBucket) throws(SettingsError) {
        bucket.kmsKeyId = try value("kms-key-id").map { (id) throws(SettingsError) in
            try text("kms-key-id", id, allowed: Self.isVisible, count: 1...2048, "the id of a KMS key")
        }
        bucket.encryption =
            try choice("encryption", RemoteBucket.Encryption.self) ?? (bucket.kmsKeyId == nil ? .none : .kms)
        guard bucket.kmsKeyId == nil || bucket.encryption == .kms else {
            throw wrong("`kms-key-id` is for `encryption: kms`, but that is `\(bucket.encryption.rawValue)`")
        }
    }

    private func setRetention(_ bucket: inout RemoteBucket) throws(SettingsError) {
        let range = bucket.kind == .oss ? 1...25_550 : 1...36_500
        let mode = try choice("retention-mode", RemoteBucket.RetentionMode.self)
        if let text = value("retention-days") {
            guard let days = Int(text), range.contains(days) else {
                throw invalid("retention-days", text, "days, from \(range.lowerBound) to \(range.upperBound)")
            }
            guard mode != RemoteBucket.RetentionMode.none else {
                throw wrong("`retention-days` without retention: leave them out, or set `retention-mode: COMPLIANCE`")
            }
            bucket.retentionDays = days
            bucket.retentionMode = mode ?? .compliance
        } else if let mode, mode != .none {
            throw wrong("`retention-mode: \(mode.rawValue)` needs `retention-days`")
        }
        if bucket.kind == .oss, bucket.retentionMode == .governance {
            throw invalid("retention-mode", "GOVERNANCE", "COMPLIANCE or none: OSS has no other")
        }
    }
}
