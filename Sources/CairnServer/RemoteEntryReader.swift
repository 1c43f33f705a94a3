// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import ObjectStorage
import Yams

/// Reads one entry of `remote-buckets` or `remote-log-projects`.
struct RemoteEntryReader {
    let name: String
    /// For errors: `remote bucket \`archive\``.
    private let what: String
    private let values: [String: String]

    /// The entries of a section, each read by `read`.
    ///
    /// - Parameters:
    ///   - configuration: text of the YAML file.
    ///   - kind: `remote bucket`.
    ///   - known: the keys that an entry may have.
    ///   - checkName: throws for a name that no trail can give.
    static func entries<Entry>(
        of section: String, in configuration: String?, kind: String, known: [String],
        checkName: (String) throws(SettingsError) -> Void, read: (RemoteEntryReader) throws(SettingsError) -> Entry
    ) throws(SettingsError) -> [Entry] {
        guard let configuration else { return [] }
        // As nodes: a value is taken as it is written, not as the number or date that it looks like.
        let node: Node?
        do { node = try Yams.compose(yaml: configuration) } catch { throw .badFile("\(error)") }
        guard let value = node?.mapping?.first(where: { $0.key.string == section })?.value else { return [] }
        if value.scalar.map({ ["", "~", "null"].contains($0.string) }) ?? false { return [] }
        guard let mapping = value.mapping else {
            throw .badFile("`\(section)` should be a mapping from the name that trails use to where the \(kind) is")
        }
        var entries: [Entry] = []
        for (key, value) in mapping {
            let name = key.string ?? "?"
            try checkName(name)
            entries.append(try read(RemoteEntryReader(name: name, kind: kind, node: value, known: known)))
        }
        return entries
    }

    private init(name: String, kind: String, node: Node, known: [String]) throws(SettingsError) {
        self.name = name
        what = "\(kind) `\(name)`"
        guard let mapping = node.mapping else {
            throw .badFile("\(what) should be a mapping with endpoint, region and so on")
        }
        var values: [String: String] = [:]
        for (key, value) in mapping {
            let text = key.string ?? "?"
            guard text != "access-key-secret", text != "session-token" else {
                throw .badFile("\(what): a secret does not belong into the configuration; give `\(text)-file` or `\(text)-env`")
            }
            guard known.contains(text) else {
                throw .badFile("\(what): there is no `\(text)`; there are \(known.joined(separator: ", "))")
            }
            guard let scalar = value.scalar else { throw .badFile("\(what): `\(text)` should be one value") }
            values[text] = scalar.string
        }
        self.values = values
    }

    func wrong(_ problem: String) -> SettingsError { .badFile("\(what): \(problem)") }

    func invalid(_ key: String, _ value: String, _ wanted: String) -> SettingsError {
        .invalid(source: "`\(key)` of \(what)", value: value, wanted: wanted)
    }

    func value(_ key: String) -> String? { values[key].flatMap { $0.isEmpty ? nil : $0 } }

    func required(_ key: String) throws(SettingsError) -> String {
        guard let value = value(key) else { throw wrong("`\(key)` is missing") }
        return value
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, _: Choice.Type
    ) throws(SettingsError) -> Choice? {
        guard let text = value(key) else { return nil }
        guard let choice = Choice.allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() }) else {
            throw invalid(key, text, Choice.allCases.map(\.rawValue).joined(separator: ", or "))
        }
        return choice
    }

    func flag(_ key: String) throws(SettingsError) -> Bool? {
        guard let text = value(key) else { return nil }
        guard let flag = Bool(text.lowercased()) else { throw invalid(key, text, "true or false") }
        return flag
    }

    func text(_ key: String, _ value: String, allowed: (UInt8) -> Bool, count: ClosedRange<Int>, _ wanted: String)
        throws(SettingsError) -> String
    {
        guard count.contains(value.utf8.count), value.utf8.allSatisfy(allowed) else { throw invalid(key, value, wanted) }
        return value
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
    }
    static func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }

    func endpoint(_ key: String, _ text: String) throws(SettingsError) -> RemoteEndpoint {
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
    func secret(_ key: String) throws(SettingsError) -> SecretSource? {
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

    /// Keys of ``access(_:)``.
    static let accessKeys = [
        "access-key-id", "access-key-secret-file", "access-key-secret-env", "session-token-file", "session-token-env", "role-arn",
        "sts-endpoint", "ca-file", "allow-http",
    ]

    func access(_ endpoint: RemoteEndpoint) throws(SettingsError) -> RemoteAccess {
        let id = try text(
            "access-key-id", required("access-key-id"), allowed: Self.isVisible, count: 1...128, "the id of an access key")
        guard let secret = try secret("access-key-secret") else {
            throw wrong("give `access-key-secret-file` or `access-key-secret-env`")
        }
        let access = RemoteAccess(
            accessKeyId: id, secret: secret, sessionToken: try self.secret("session-token"), role: try role(),
            caFile: value("ca-file"))
        if access.caFile != nil, !endpoint.isTLS { throw wrong("`ca-file` is for https endpoints") }
        return access
    }

    private func role() throws(SettingsError) -> RemoteBucket.Role? {
        switch (value("role-arn"), value("sts-endpoint")) {
        case (nil, nil): return nil
        case (let arn?, let endpoint?):
            guard Self.isRole(arn) else { throw invalid("role-arn", arn, "acs:ram::ACCOUNT:role/NAME") }
            return .init(arn: arn, stsEndpoint: try self.endpoint("sts-endpoint", endpoint))
        default: throw wrong("`role-arn` and `sts-endpoint` belong together: one of them is missing")
        }
    }

    static func isRole(_ arn: String) -> Bool { arn.wholeMatch(of: #/acs:ram::\d{1,32}:role/[A-Za-z0-9._-]{1,64}/#) != nil }
}
