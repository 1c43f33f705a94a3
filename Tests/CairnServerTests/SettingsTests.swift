// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CairnServer
import Testing

@Suite struct `The settings` {
    private func settings(
        _ flags: [String: String] = [:], _ environment: [String: String] = [:], _ file: String? = nil
    ) throws(SettingsError) -> Settings {
        try Settings(flags: flags, environment: environment, configuration: file)
    }

    @Test func `have the documented defaults`() throws {
        let settings = try settings()
        #expect(settings.dataFolder == "./cairn-data")
        #expect("\(settings.api) \(settings.oss) \(settings.sls)" == "127.0.0.1:8420 127.0.0.1:8421 127.0.0.1:8422")
        #expect(settings.region == "local-1")
        #expect(settings.accountId == "1000000000000001")
        #expect(settings.deliveryInterval == .seconds(60))
        #expect(settings.retentionDays == 90)
    }

    @Test func `take a flag before the environment before the file`() throws {
        let file = "region: from-file\naccount: 3\ndata: /from/file\n"
        let environment = ["CAIRN_REGION": "from-environment", "CAIRN_ACCOUNT": "2"]
        let settings = try settings(["region": "from-flag"], environment, file)
        #expect(settings.region == "from-flag")
        #expect(settings.accountId == "2")
        #expect(settings.dataFolder == "/from/file")
    }

    @Test(arguments: Settings.names) func `have an environment twin each`(name: String) throws {
        let values = [
            "data": "/d", "api": "127.0.0.1:1", "oss": "127.0.0.1:2", "sls": "127.0.0.1:3", "region": "r-1", "account": "7",
            "delivery-interval": "5", "retention-days": "7", "cache-mib": "8", "tls-cert": "c", "tls-key": "k",
            "insecure-listen": "true", "oss-domain": "oss.example.com", "log-level": "debug",
        ]
        let value = try #require(values[name])
        // Certificate and key belong together.
        let other = ["tls-cert": ["CAIRN_TLS_KEY": "k"], "tls-key": ["CAIRN_TLS_CERT": "c"]][name] ?? [:]
        let fromEnvironment = try settings([:], other.merging([Settings.variable(name): value]) { $1 })
        let fromFlag = try settings([name: value], other)
        #expect(fromEnvironment == fromFlag)
        #expect(fromFlag != (try settings([:], other.isEmpty ? [:] : ["CAIRN_TLS_KEY": "x", "CAIRN_TLS_CERT": "x"])))
    }

    @Test(arguments: [
        ["api": "nonsense"], ["api": "127.0.0.1:99999"], ["region": "With Space"], ["account": "abc"],
        ["delivery-interval": "0"], ["retention-days": "-1"], ["insecure-listen": "maybe"], ["tls-cert": "only.pem"],
    ]) func `refuse what makes no sense`(flags: [String: String]) {
        #expect(throws: SettingsError.self) { try settings(flags) }
    }

    @Test func `refuse an open listener without TLS`() throws {
        #expect(throws: SettingsError.self) { try settings(["api": "0.0.0.0:8420"]) }
        #expect(try settings(["api": "0.0.0.0:8420", "insecure-listen": "true"]).api.port == 8420)
        #expect(try settings(["api": "0.0.0.0:8420", "tls-cert": "c", "tls-key": "k"]).api.host == "0.0.0.0")
        #expect(try settings(["api": "[::1]:8420"]).api.host == "::1")
    }

    @Test func `name an unknown setting of the file`() {
        #expect { try settings([:], [:], "colour: blue\n") } throws: { error in "\(error)".contains("`colour`") }
        #expect(throws: SettingsError.self) { try settings([:], [:], "- a list\n") }
        #expect(throws: SettingsError.self) { try settings([:], [:], "a: [unclosed\n") }
    }
}
