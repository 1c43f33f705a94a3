// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Testing

@Suite struct `The endpoint of a log service` {
    /// Endpoint, where to connect to, and the Host header, for the project `proj`.
    @Test(
        arguments: [
            (
                "https://cn-hangzhou.log.aliyuncs.com", "https://proj.cn-hangzhou.log.aliyuncs.com",
                "proj.cn-hangzhou.log.aliyuncs.com"
            ),
            ("https://Logs.Example.org:8443/", "https://proj.logs.example.org:8443", "proj.logs.example.org:8443"),
            ("http://logs.example.org:80", "http://proj.logs.example.org", "proj.logs.example.org"),
            ("http://127.0.0.1:8422", "http://127.0.0.1:8422", "proj.127.0.0.1:8422"),
            ("http://localhost:8422", "http://localhost:8422", "proj.localhost:8422"),
            ("https://10.0.0.1", "https://10.0.0.1", "proj.10.0.0.1"),
            ("http://[::1]:8422", "http://[::1]:8422", "proj.[::1]:8422"),
            ("https://1.2.3.example", "https://proj.1.2.3.example", "proj.1.2.3.example"),
        ])
    func `names the project where it can be found`(text: String, base: String, host: String) throws {
        let endpoint = try #require(SLSEndpoint(text))
        #expect(endpoint.base("proj") == base)
        #expect(endpoint.authority("proj") == host)
        #expect(!endpoint.base(nil).contains("proj") && !endpoint.authority(nil).contains("proj"))
    }

    @Test(arguments: [
        "", "logs.example.org", "ftp://logs.example.org", "https://", "https://a.example/path", "https://a.example?x=1",
        "https://user@a.example", "https://user:secret@a.example", "https://a.example:0", "https://a.example:70000",
        "https://a_b.example", "https://a.example#x", "https://a.exam ple",
    ]) func `is nothing else`(text: String) {
        #expect(SLSEndpoint(text) == nil)
    }
}
