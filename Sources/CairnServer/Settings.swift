// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import ObjectStorage
import Trails
import Yams

/// What the service runs with. For each setting: the flag, else its environment twin, else the configuration file,
/// else the default.
public struct Settings: Sendable, Equatable {
    public struct Address: Sendable, Equatable, CustomStringConvertible {
        public var host: String
        public var port: Int

        public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

        var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

        /// `host:port`, `[v6]:port` or a bare port on loopback.
        public init?(_ text: String) {
            guard let colon = text.lastIndex(of: ":") else {
                guard let port = UInt16(text) else { return nil }
                self.init(host: "127.0.0.1", port: Int(port))
                return
            }
            guard let port = UInt16(text[text.index(after: colon)...]) else { return nil }
            let host = text[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
            guard !host.isEmpty else { return nil }
            self.init(host: host, port: Int(port))
        }

        init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    public var dataFolder = "./cairn-data"
    public var api = Address(host: "127.0.0.1", port: 8420)
    public var oss = Address(host: "127.0.0.1", port: 8421)
    public var sls = Address(host: "127.0.0.1", port: 8422)
    public var region = "local-1"
    public var accountId = "1000000000000001"
    /// Domains of the oss port: the host `BUCKET.DOMAIN` names a bucket.
    public var ossDomains: [String] = []
    public var deliveryInterval: Duration = .seconds(60)
    public var retentionDays = 90
    public var cacheMebibytes = 64
    public var tlsCertificate: String?
    public var tlsKey: String?
    public var allowsInsecureListen = false
    public var logLevel = "info"
    /// Buckets of other stores that trails deliver to by name; only the configuration file has them.
    public var remoteBuckets: [RemoteBucket] = []
    /// Projects of other log services that trails deliver to by name; only the configuration file has them.
    public var remoteLogProjects: [RemoteLogProject] = []

    /// Names of the settings, as flags have them; `CAIRN_` and upper case in the environment.
    public static let names = [
        "data", "api", "oss", "sls", "oss-domain", "region", "account", "delivery-interval", "retention-days", "cache-mib",
        "tls-cert",
        "tls-key", "insecure-listen", "log-level",
    ]

    /// - Parameters:
    ///   - flags: by name, as given on the command line.
    ///   - configuration: text of the YAML file, if there is one.
    public init(flags: [String: String], environment: [String: String], configuration: String?) throws(SettingsError) {
        let file = try Self.read(configuration)
        func value(_ name: String) -> (text: String, source: String)? {
            if let text = flags[name] { return (text, "--\(name)") }
            let variable = Self.variable(name)
            if let text = environment[variable], !text.isEmpty { return (text, variable) }
            if let text = file[name] { return (text, "`\(name)` in the configuration file") }
            return nil
        }
        func address(_ name: String, _ target: inout Address) throws(SettingsError) {
            guard let (text, source) = value(name) else { return }
            guard let address = Address(text) else { throw .invalid(source: source, value: text, wanted: "HOST:PORT") }
            target = address
        }
        func number(_ name: String, _ range: ClosedRange<Double>, _ wanted: String) throws(SettingsError) -> Double? {
            guard let (text, source) = value(name) else { return nil }
            guard let number = Double(text), range.contains(number) else {
                throw .invalid(source: source, value: text, wanted: wanted)
            }
            return number
        }
        if let (text, _) = value("data") { dataFolder = text }
        try address("api", &api)
        try address("oss", &oss)
        try address("sls", &sls)
        if let (text, source) = value("region") {
            guard !text.isEmpty, text.utf8.allSatisfy({ Self.isName($0) }) else {
                throw .invalid(source: source, value: text, wanted: "a region id such as local-1")
            }
            region = text
        }
        if let (text, source) = value("oss-domain") {
            ossDomains = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
            guard ossDomains.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { Self.isName($0) || $0 == 0x2E } }) else {
                throw .invalid(source: source, value: text, wanted: "domains separated by commas, such as oss.example.com")
            }
        }
        if let (text, source) = value("account") {
            guard (1...32).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                throw .invalid(source: source, value: text, wanted: "an account id: digits")
            }
            accountId = text
        }
        if let seconds = try number("delivery-interval", 0.1...86_400, "seconds, from 0.1 to 86400") {
            deliveryInterval = .milliseconds(Int64(seconds * 1000))
        }
        if let days = try number("retention-days", 1...36_500, "days, from 1 to 36500") { retentionDays = Int(days) }
        if let size = try number("cache-mib", 1...1_048_576, "mebibytes, from 1") { cacheMebibytes = Int(size) }
        tlsCertificate = value("tls-cert")?.text
        tlsKey = value("tls-key")?.text
        if let (text, source) = value("insecure-listen") {
            guard let flag = Bool(text.lowercased()) else { throw .invalid(source: source, value: text, wanted: "true or false") }
            allowsInsecureListen = flag
        }
        if let (text, _) = value("log-level") { logLevel = text }
        remoteBuckets = try Self.readRemoteBuckets(configuration)
        remoteLogProjects = try Self.readRemoteLogProjects(configuration)
        guard (tlsCertificate == nil) == (tlsKey == nil) else { throw .halfTLS }
        for address in [api, oss, sls] where !address.isLoopback && tlsKey == nil && !allowsInsecureListen {
            throw .insecure(address)
        }
    }

    private static func isName(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
    }

    public static func variable(_ name: String) -> String {
        "CAIRN_" + name.uppercased().replacingOccurrences(of: "-", with: "_")
    }

    private static func read(_ configuration: String?) throws(SettingsError) -> [String: String] {
        guard let configuration else { return [:] }
        let node: Any?
        do { node = try Yams.load(yaml: configuration) } catch { throw .badFile("\(error)") }
        guard let node else { return [:] }
        guard let mapping = node as? [String: Any] else { throw .badFile("it is not a mapping of settings") }
        var values: [String: String] = [:]
        let sections = [remoteBucketsName, remoteLogProjectsName]
        for (name, value) in mapping where !sections.contains(name) {
            guard names.contains(name) else {
                throw .badFile(
                    "there is no setting `\(name)`; the settings are \((names + sections).joined(separator: ", "))")
            }
            values[name] = "\(value)"
        }
        return values
    }
}

public enum SettingsError: Error, Equatable, CustomStringConvertible {
    case invalid(source: String, value: String, wanted: String)
    case insecure(Settings.Address)
    case halfTLS
    case badFile(String)

    public var description: String {
        switch self {
        case .invalid(let source, let value, let wanted): "\(source) is `\(value)`, but should be \(wanted)"
        case .insecure(let address):
            "\(address) is not loopback and there is no TLS: give --tls-cert and --tls-key, "
                + "or --insecure-listen if something in front does TLS"
        case .halfTLS: "--tls-cert and --tls-key belong together: one of them is missing"
        case .badFile(let reason): "the configuration file cannot be used: \(reason)"
        }
    }
}
