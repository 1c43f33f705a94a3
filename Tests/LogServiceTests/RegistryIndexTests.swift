// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import Testing

@Suite struct RegistryIndexTests {
    private func configuration(_ json: String) throws -> IndexConfiguration {
        try LogRegistry.configuration(ofIndex: Data(json.utf8))
    }

    /// As the vendor's Python client sends it.
    static let captured = #"""
        {"line": {"token": [",", " ", "'", "\"", ";", "=", "(", ")", "[", "]", "{", "}", "?", "@", "&", "<", ">", "/", ":",
        "\n", "\t", "\r"], "caseSensitive": false, "auto_text_keys": [], "chn": false, "auto_key_detect": false},
        "keys": {"event": {"type": "json", "token": [",", " "], "caseSensitive": true, "doc_value": true, "index_all": true,
        "max_depth": -1, "json_keys": {"eventName": {"type": "text", "doc_value": true},
        "size": {"type": "long", "doc_value": false, "alias": "bytes"}}}, "latency": {"type": "double", "doc_value": true,
        "alias": ""}}, "max_text_len": 16384}
        """#

    @Test func readsWhatClientsSend() throws {
        let event = IndexConfiguration.Text(delimiters: [",", " "], isCaseSensitive: true)
        #expect(
            try configuration(Self.captured)
                == IndexConfiguration(
                    line: .init(),
                    fields: [
                        "event": .json(
                            .init(
                                text: event, indexesAll: true, maxDepth: nil, isColumn: true,
                                leaves: [
                                    "eventName": .init(kind: .text(event), isColumn: true),
                                    "size": .init(kind: .long, isColumn: false, alias: "bytes"),
                                ])),
                        "latency": .value(.init(kind: .double, isColumn: true)),
                    ], textLimit: 16384))
    }

    @Test func defaultsAreAsDocumented() throws {
        let index = try configuration(
            #"{"keys":{"a":{"type":"text","token":[]},"j":{"type":"json","chn":true,"max_depth":3,"json_keys":{"x":{"type":"text","caseSensitive":true,"token":["é"]}}},"n":{"type":"long","json_keys":{}},"__time__":{"type":"long"}},"line":null}"#
        )
        #expect(index.line == nil && index.textLimit == 2048 && index.fields.count == 3)
        #expect(index.fields["a"] == .value(.init(kind: .text(.init(delimiters: [])), isColumn: false)))
        #expect(index.fields["n"] == .value(.init(kind: .long, isColumn: false)))
        #expect(
            index.fields["j"]
                == .json(
                    .init(
                        text: .init(splitsChinese: true), indexesAll: false, maxDepth: 3, isColumn: false,
                        leaves: [
                            "x": .init(
                                kind: .text(.init(delimiters: ["é"], isCaseSensitive: true, splitsChinese: true)), isColumn: false
                            )
                        ])))
    }

    @Test(arguments: [
        "", "[]", "7", "{", "{}", #"{"line":null,"keys":{}}"#, #"{"line":[]}"#, #"{"line":{"token":","}}"#,
        #"{"line":{"token":[","," ;"]}}"#, #"{"line":{"token":[""]}}"#, #"{"line":{"token":[1]}}"#,
        #"{"line":{"token":["\r\n"]}}"#,
        #"{"line":{"token":["e\u0301"]}}"#, #"{"line":{"token":[],"caseSensitive":1}}"#, #"{"line":{"token":[],"chn":"true"}}"#,
        #"{"line":{"token":[],"include_keys":["a"],"exclude_keys":["b"]}}"#, #"{"line":{"token":[],"include_keys":"a"}}"#,
        #"{"keys":[]}"#, #"{"keys":{"a":1}}"#, #"{"keys":{"a":{}}}"#, #"{"keys":{"a":{"type":"date"}}}"#,
        #"{"keys":{"a":{"type":1}}}"#, #"{"keys":{"":{"type":"long"}}}"#, #"{"keys":{"a":{"type":"long","doc_value":"true"}}}"#,
        #"{"keys":{"a":{"type":"long","alias":1}}}"#, #"{"keys":{"a":{"type":"json","max_depth":1.5}}}"#,
        #"{"keys":{"a":{"type":"json","json_keys":{"b":{"type":"json"}}}}}"#,
        #"{"keys":{"a":{"type":"json","json_keys":{"":{"type":"long"}}}}}"#, #"{"keys":{"a":{"type":"json","json_keys":[]}}}"#,
        #"{"line":{"token":[]},"max_text_len":63}"#, #"{"line":{"token":[]},"max_text_len":16385}"#,
        #"{"line":{"token":[]},"max_text_len":"64"}"#,
        #"{"keys":{"a":{"type":"long","doc_value":true,"alias":"b"},"b":{"type":"long","doc_value":true}}}"#,
        #"{"keys":{"a":{"type":"long","doc_value":true,"alias":"j.x"},"j":{"type":"json","json_keys":{"x":{"type":"long","doc_value":true}}}}}"#,
    ]) func refusesWhatIsNotAnIndex(json: String) {
        registryRefuses("IndexInfoInvalid") { _ = try configuration(json) }
    }

    @Test func hostileObjectsAreRefused() {
        let deep = String(repeating: #"{"a":"#, count: 100_00) + "1" + String(repeating: "}", count: 100_00)
        registryRefuses("IndexInfoInvalid") { _ = try configuration(#"{"line":{"token":[]},"x":\#(deep)}"#) }
        let lists = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        registryRefuses("IndexInfoInvalid") { _ = try configuration(#"{"line":{"token":[]},"x":\#(lists)}"#) }
        let long = String(repeating: "x", count: 129)
        registryRefuses("IndexInfoInvalid") { _ = try configuration(#"{"keys":{"\#(long)":{"type":"long"}}}"#) }
        let many = (0..<1001).map { #""k\#($0)":{"type":"long"}"# }.joined(separator: ",")
        registryRefuses("IndexInfoInvalid") { _ = try configuration(#"{"keys":{\#(many)}}"#) }
        registryRefuses("IndexInfoInvalid") {
            _ = try configuration(#"{"line":{"token":[]},"x":"\#(String(repeating: "x", count: 262_144))"}"#)
        }
        registryRefuses("IndexInfoInvalid") { _ = try LogRegistry.configuration(ofIndex: Data([0x7B, 0x22, 0xFF, 0x22, 0x7D])) }
    }

    @Test func getIndexTellsWhatWasSent() throws {
        let fixture = try RegistryFixture()
        func get() throws -> Data { try fixture.registry.index(logstore: "audit", project: "trails") }
        registryRefuses("IndexConfigNotExist") { _ = try get() }
        registryRefuses("IndexConfigNotExist") {
            try fixture.registry.setIndex(RegistryFixture.index, logstore: "audit", project: "trails", isNew: false)
        }
        registryRefuses("IndexInfoInvalid") {
            try fixture.registry.setIndex(Data("{}".utf8), logstore: "audit", project: "trails", isNew: true)
        }
        try fixture.registry.setIndex(Data(Self.captured.utf8), logstore: "audit", project: "trails", isNew: true)
        #expect(try get() == Data(Self.captured.utf8))
        registryRefuses("IndexAlreadyExist") {
            try fixture.registry.setIndex(RegistryFixture.index, logstore: "audit", project: "trails", isNew: true)
        }
        try fixture.registry.setIndex(RegistryFixture.index, logstore: "audit", project: "trails", isNew: false)
        let logstore = try fixture.registry.logstore("audit", project: "trails")
        #expect(try fixture.registry.configuration(of: logstore)?.line?.delimiters == [",", " "])
        try fixture.registry.deleteIndex(logstore: "audit", project: "trails")
        registryRefuses("IndexConfigNotExist") { try fixture.registry.deleteIndex(logstore: "audit", project: "trails") }
        let without = try fixture.registry.logstore("audit", project: "trails")
        #expect(try fixture.registry.configuration(of: without) == nil)
    }

    @Test func getIndexFillsInTokenLists() throws {
        let fixture = try RegistryFixture()
        let sent = #"""
            {"line":{"chn":true},"keys":{"a":{"type":"text","token":null,"alias":"ä/\n"},"j":{"type":"json",
            "json_keys":{"x":{"type":"text"}}},"n":{"type":"long"}},"ttl":30,"unknown":[1,2.50,-7,1e3,true,null,"s",{"a":{}}],
            "big":18446744073709551615,"exact":0.1234567890123456789}
            """#
        try fixture.registry.setIndex(Data(sent.utf8), logstore: "audit", project: "trails", isNew: true)
        let got = try fixture.registry.index(logstore: "audit", project: "trails")
        let tokens = #"[","," ","'","\"",";","=","(",")","[","]","{","}","?","@","&","<",">","/",":","\n","\t","\r"]"#
        #expect(
            String(decoding: got, as: UTF8.self)
                == #"{"big":18446744073709551615,"exact":0.1234567890123456789,"#
                + #""keys":{"a":{"alias":"ä/\n","token":\#(tokens),"type":"text"},"#
                + #""j":{"json_keys":{"x":{"type":"text"}},"token":\#(tokens),"type":"json"},"n":{"type":"long"}},"#
                + #""line":{"chn":true,"token":\#(tokens)},"ttl":30,"unknown":[1,2.5,-7,1000,true,null,"s",{"a":{}}]}"#)
        // What was filled in is what was meant.
        #expect(try LogRegistry.configuration(ofIndex: got) == LogRegistry.configuration(ofIndex: Data(sent.utf8)))
    }
}
