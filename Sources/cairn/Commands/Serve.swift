// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CairnServer
import Foundation
import Logging
import Metrics

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the service.",
        discussion: """
            Every flag has an environment twin (CAIRN_DATA, CAIRN_API, ...) and a key of the same name in the YAML file \
            given with --config; a flag wins over the environment, the environment over the file.
            """)

    @Option(help: "Data folder. Default: ./cairn-data") var data: String?
    @Option(help: "HOST:PORT of the api port. Default: 127.0.0.1:8420; port 0 is any free one") var api: String?
    @Option(help: "HOST:PORT of the oss port. Default: 127.0.0.1:8421") var oss: String?
    @Option(help: "HOST:PORT of the sls port. Default: 127.0.0.1:8422") var sls: String?
    @Option(help: "Domains of the oss port, by commas: the host BUCKET.DOMAIN names a bucket. Default: localhost alone")
    var ossDomain: String?
    @Option(help: "Region id. Default: local-1") var region: String?
    @Option(help: "Account id. Default: 1000000000000001") var account: String?
    @Option(help: "Seconds of events in one delivery. Default: 60") var deliveryInterval: String?
    @Option(help: "Days that events can be looked up. Default: 90") var retentionDays: String?
    @Option(help: "Mebibytes of memory for decoded blocks. Default: 64") var cacheMib: String?
    @Option(help: "PEM file of the certificate chain.") var tlsCert: String?
    @Option(help: "PEM file of the private key.") var tlsKey: String?
    @Flag(help: "Listen beyond loopback without TLS (something in front does it).") var insecureListen = false
    @Option(help: "trace, debug, info, notice, warning, error or critical. Default: info") var logLevel: String?
    @Option(help: "YAML file with settings. Default: $CAIRN_CONFIG") var config: String?

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        var flags: [String: String] = [:]
        flags["data"] = data
        flags["api"] = api
        flags["oss"] = oss
        flags["sls"] = sls
        flags["oss-domain"] = ossDomain
        flags["region"] = region
        flags["account"] = account
        flags["delivery-interval"] = deliveryInterval
        flags["retention-days"] = retentionDays
        flags["cache-mib"] = cacheMib
        flags["tls-cert"] = tlsCert
        flags["tls-key"] = tlsKey
        flags["log-level"] = logLevel
        if insecureListen { flags["insecure-listen"] = "true" }
        let settings: Settings
        do {
            settings = try Settings(flags: flags, environment: environment, configuration: try configuration(environment))
        } catch let error as SettingsError { throw Failure.usage("\(error)") }
        guard let level = Logger.Level(rawValue: settings.logLevel.lowercased()) else {
            throw Failure.usage("`\(settings.logLevel)` is not a log level")
        }
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)
        do {
            try await CairnService(settings: settings, logger: Logger(label: "cairn"), metrics: metrics)
                .run(environment: environment) { line in
                    print(line)
                    // Into a pipe too: whoever waits for this line must not wait for a full buffer.
                    fflush(nil)
                }
        } catch let error as StartError { throw Failure.unreachable("\(error)") }
    }

    private func configuration(_ environment: [String: String]) throws -> String? {
        guard let path = config ?? environment["CAIRN_CONFIG"] else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure.usage("the configuration file `\(path)` cannot be read")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
