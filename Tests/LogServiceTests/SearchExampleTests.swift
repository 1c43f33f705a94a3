// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Testing

/// The documented examples, each with logs that it finds and logs that it does not.
@Suite struct SearchExampleTests {
    struct Example: CustomTestStringConvertible {
        var query: String
        var found: [SearchLog]
        var passedOver: [SearchLog]

        init(_ query: String, found: [SearchLog], passedOver: [SearchLog]) {
            self.query = query
            self.found = found
            self.passedOver = passedOver
        }

        var testDescription: String { query }
    }

    private static func log(_ fields: (String, String)...) -> SearchLog { SearchLog(fields) }
    private static func event(_ json: String) -> SearchLog { SearchLog(event: json) }

    @Test(arguments: webAccess + texts + numbers + reserved + json)
    func findsWhatItSays(_ example: Example) throws {
        let plan = try SearchPlan(example.query, index: SearchIndexes.trail)
        for log in example.found { #expect(log.isFound(by: plan), "\(log)") }
        for log in example.passedOver { #expect(!log.isFound(by: plan), "\(log)") }
    }

    /// Source: sls.md section 10.4.
    static let webAccess = [
        Example(
            "request_method:GET and status in [200 299]",
            found: [log(("request_method", "GET"), ("status", "200")), log(("request_method", "get"), ("status", "299"))],
            passedOver: [
                log(("request_method", "GET"), ("status", "300")), log(("request_method", "POST"), ("status", "200")),
                log(("request_method", "GET"), ("status", "2x")), log(("status", "200")),
            ]),
        Example(
            "request_method:GET not region:cn-shanghai",
            found: [log(("request_method", "GET"), ("region", "cn-hangzhou")), log(("request_method", "GET"))],
            passedOver: [log(("request_method", "GET"), ("region", "cn-shanghai")), log(("region", "cn-hangzhou"))]),
        Example(
            "(request_method:GET or request_method:POST) and status in [200 299]",
            found: [log(("request_method", "POST"), ("status", "204"))],
            passedOver: [log(("request_method", "PUT"), ("status", "204")), log(("request_method", "GET"), ("status", "404"))]),
        Example(
            "(request_method:GET or request_method:POST) not status in [200 299]",
            found: [log(("request_method", "GET"), ("status", "404")), log(("request_method", "POST"))],
            passedOver: [log(("request_method", "GET"), ("status", "200")), log(("request_method", "PUT"), ("status", "404"))]),
        Example(
            "request_time>=60 and request_time<200",
            found: [log(("request_time", "60")), log(("request_time", "199.99"))],
            passedOver: [log(("request_time", "200")), log(("request_time", "59.9")), log(("request_time", "many"))]),
        Example(
            "request_time in [60 200)", found: [log(("request_time", "60.0")), log(("request_time", "1.5e2"))],
            passedOver: [log(("request_time", "200.0")), log(("request_time", "-60"))]),
        Example(
            "Moz* and Sa*", found: [log(("http_user_agent", "Mozilla/5.0 (X11) Safari/537")), log(("a", "moz"), ("b", "sa"))],
            passedOver: [log(("http_user_agent", "Mozilla/5.0")), log(("http_user_agent", "xMoz Safari"))]),
        Example(
            "request_uri:/request/path-2",
            found: [log(("request_uri", "/request/path-2/file-6")), log(("request_uri", "path-2/request"))],
            passedOver: [log(("request_uri", "/request/path-20")), log(("request_uri", "/requests/path-2"))]),
        Example(
            "__topic__:https or __topic__:http", found: [SearchLog(topic: "http"), SearchLog(topic: "HTTPS")],
            passedOver: [SearchLog(topic: "http/2"), SearchLog([("__topic__", "http")])]),
        Example(
            "info.usedTime > 60 not info.param.projectName : project01",
            found: [
                log(("info", #"{"usedTime": 61}"#)), log(("info", #"{"usedTime":"90","param":{"projectName":"project02"}}"#)),
            ],
            passedOver: [
                log(("info", #"{"usedTime":61,"param":{"projectName":"project01"}}"#)), log(("info", #"{"usedTime":60}"#)),
                log(("info", #"{"usedTime":[61]}"#)), log(("info", "61")),
            ]),
        Example(
            "info.success : true", found: [log(("info", #"{"success":true}"#)), log(("info", #"{"success":"True"}"#))],
            passedOver: [log(("info", #"{"success":false}"#)), log(("info", #"{"x":{"success":true}}"#)), log(("info", "true"))]),
    ]

    /// Source: sls.md sections 10.1 and 10.2.
    static let texts = [
        Example(
            #"http_user_agent:"Linux Chrome""#, found: [log(("http_user_agent", "Chrome (Linux)"))],
            passedOver: [log(("http_user_agent", "Linux")), log(("http_user_agent", "LinuxChrome"))]),
        Example("note:192.0.2", found: [log(("note", "at 192.0.2"))], passedOver: [log(("note", "192.0.2.1"))]),
        Example(#"note:"and""#, found: [log(("note", "this and that"))], passedOver: [log(("note", "android"))]),
        Example(#"region:"cn*""#, found: [log(("region", "cn*"))], passedOver: [log(("region", "cn-hangzhou"))]),
        Example(
            "region:cn*", found: [log(("region", "cn-hangzhou")), log(("region", "CN"))], passedOver: [log(("region", "acn"))]),
        Example("region:a*c", found: [log(("region", "abc")), log(("region", "ac"))], passedOver: [log(("region", "abcd"))]),
        Example(
            "region:a?c", found: [log(("region", "abc")), log(("region", "a文c"))],
            passedOver: [log(("region", "ac")), log(("region", "abbc"))]),
        Example(
            "region:a*b?d*", found: [log(("region", "aXbbcd")), log(("region", "abcde"))], passedOver: [log(("region", "abd"))]),
        Example(#""file info":apsara"#, found: [log(("file info", "Apsara stack"))], passedOver: [log(("file", "apsara"))]),
        Example("note:*", found: [log(("note", "")), log(("note", "x"))], passedOver: [log(("notes", "x"))]),
        Example("not note:*", found: [log(("notes", "x"))], passedOver: [log(("note", ""))]),
        Example(#"note:"""#, found: [log(("note", ""))], passedOver: [log(("note", " ")), log()]),
        Example(#"not note:"""#, found: [log(("note", "x")), log()], passedOver: [log(("note", ""))]),
        Example(
            #"exact:nginx\"01\""#, found: [log(("exact", #"nginx"01""#))],
            passedOver: [log(("exact", "nginx01")), log(("exact", #"Nginx"01""#))]),
        Example(
            "exact:nginx*", found: [log(("exact", "nginx and more"))],
            passedOver: [log(("exact", "NGINX")), log(("exact", "an nginx"))]),
        Example(#"note:"CORP\alice""#, found: [log(("note", #"by CORP\Alice"#))], passedOver: [log(("note", "CORP alice"))]),
        Example(#"note:"C:\\""#, found: [log(("note", #"C:\ D:\"#))], passedOver: [log(("note", "C: D:"))]),
        Example(
            #"#"abc def""#, found: [log(("x", "an ABC def, then")), log(("x", "abc def"), ("y", "z"))],
            passedOver: [
                log(("x", "abc  def")), log(("x", "abc"), ("y", "def")), log(("x", "def abc")), log(("x", "abc defg")),
            ]),
        Example(
            #"note:#"quick brown""#, found: [log(("note", "The quick brown fox"))],
            passedOver: [
                log(("note", "brown quick")), log(("note", "quick, brown")), log(("note", "quick browner")),
                log(("x", "quick brown")),
            ]),
        Example("ÄRGER", found: [log(("x", "kein ärger"))], passedOver: [log(("x", "arger"))]),
        Example(
            #"chinese:"日志""#, found: [log(("chinese", "查询日志abc")), log(("chinese", "志日"))], passedOver: [log(("chinese", "日"))]),
        Example("chinese:abc", found: [log(("chinese", "查询日志abc"))], passedOver: [log(("chinese", "abcd日志"))]),
        Example("note:日志", found: [log(("note", "日志, 查询"))], passedOver: [log(("note", "查询日志"))]),
        Example("not a and b", found: [log(("x", "b"))], passedOver: [log(("x", "a b")), log(("x", "c"))]),
        Example("a or b and c", found: [log(("x", "a")), log(("x", "b c"))], passedOver: [log(("x", "b")), log(("x", "c"))]),
        Example("x y", found: [log(("x", ""), ("k", "y")), log(("k", "y x"))], passedOver: [log(("k", "xy"))]),
        Example("", found: [log()], passedOver: []), Example(" * ", found: [log()], passedOver: []),
        Example("not *", found: [], passedOver: [log(), log(("x", "y"))]),
    ]

    /// Source: sls.md section 10.3.
    static let numbers = [
        Example(
            "status = 5", found: [log(("status", "5")), log(("status", "+05"))],
            passedOver: [log(("status", "5.0")), log(("status", " 5"))]),
        Example("status:5", found: [log(("status", "5"))], passedOver: [log(("status", "55")), log(("status", ""))]),
        Example("status > 4.5", found: [log(("status", "5"))], passedOver: [log(("status", "4"))]),
        Example("status < -4.5", found: [log(("status", "-5"))], passedOver: [log(("status", "-4"))]),
        Example(
            "status in (100 200]", found: [log(("status", "101")), log(("status", "200"))],
            passedOver: [log(("status", "100")), log(("status", "201"))]),
        Example("status in [100 200)", found: [log(("status", "100"))], passedOver: [log(("status", "200"))]),
        Example(
            "status in (100 200)", found: [log(("status", "199"))], passedOver: [log(("status", "100")), log(("status", "200"))]),
        Example("status in [200 100]", found: [], passedOver: [log(("status", "150"))]),
        Example(
            "not status > -1000000", found: [log(("status", "abc")), log(("status", "-1000000")), log()],
            passedOver: [log(("status", "-999999"))]),
        Example(
            "status > 9223372036854775806", found: [log(("status", "9223372036854775807"))],
            passedOver: [log(("status", "9223372036854775806")), log(("status", "9223372036854775808"))]),
        Example("status > 9223372036854775807", found: [], passedOver: [log(("status", "9223372036854775807"))]),
        Example("status < 1e30", found: [log(("status", "9223372036854775807"))], passedOver: [log(("status", "1e3"))]),
        Example(
            "request_time = 0.3", found: [log(("request_time", "0.3")), log(("request_time", "3e-1"))],
            passedOver: [
                log(("request_time", "0.30000000000000004")), log(("request_time", "nan")), log(("request_time", "0x1p-2")),
            ]),
        Example(
            "request_time > 1e300", found: [log(("request_time", "1e308"))],
            passedOver: [log(("request_time", "1e309")), log(("request_time", "inf"))]),
        Example("status:*", found: [log(("status", "no number"))], passedOver: [log()]),
    ]

    static let reserved = [
        Example("__source__:192.0.2.*", found: [SearchLog(source: "192.0.2.10")], passedOver: [SearchLog(source: "192.0.20.1")]),
        Example(
            "source:192.0.2.10", found: [SearchLog(source: "192.0.2.10")], passedOver: [SearchLog([("source", "192.0.2.10")])]),
        Example(
            "SOURCE:192.0.2.10", found: [SearchLog([("source", "192.0.2.10")])], passedOver: [SearchLog(source: "192.0.2.10")]),
        Example(
            "__tag__:k:v", found: [SearchLog(tags: [("k", "V")])],
            passedOver: [SearchLog(tags: [("k", "v w")]), SearchLog([("k", "v")])]),
        Example(
            #""__tag__:k":v"#, found: [SearchLog(tags: [("k", "v")])], passedOver: [SearchLog(tags: [("k", "x"), ("l", "v")])]),
        Example(
            #"__tag__:"a b" : "v w""#, found: [SearchLog(tags: [("a b", "v w")])], passedOver: [SearchLog(tags: [("a b", "v")])]),
        Example("not __tag__:k:*", found: [SearchLog()], passedOver: [SearchLog(tags: [("k", "")])]),
        Example(#"__topic__:"""#, found: [SearchLog()], passedOver: [SearchLog(topic: "x")]),
    ]

    static let json = [
        Example(
            "event.e\u{301}: x and not event.\u{E9}: x", found: [event("{\"e\u{301}\":\"x\"}")],
            passedOver: [event("{\"\u{E9}\":\"x\"}"), event("{\"e\u{301}\":\"x\",\"\u{E9}\":\"x\"}")]),
        Example(
            "event.eventName: CreateTrail",
            found: [event(#"{"eventName":"CreateTrail"}"#), event(#"{ "eventName" : "\u0043reateTrail" , "x": 1"#)],
            passedOver: [
                event(#"{"x":{"eventName":"CreateTrail"}}"#), event(#"{"eventName":["CreateTrail"]}"#),
                event(#"{"x":1,"eventName":"CreateTrail"#),
                SearchLog([("eventName", "CreateTrail")]), event(#"{"eventName":"CreateTrails"}"#),
            ]),
        Example(
            #"event.requestParameters.Filter.1.Key: Status"#, found: [event(#"{"requestParameters":{"Filter.1.Key":"Status"}}"#)],
            passedOver: [event(#"{"requestParameters":{"Filter":{"1":{"key":"Status"}}}}"#)]),
        Example(
            "event.a: second", found: [event(#"{"a":"first","a":"second"}"#)],
            passedOver: [event(#"{"a":"second","a":"first"}"#), event(#"{"a":"second","\u0061":null}"#)]),
        Example(
            "event.errorCode: null", found: [event(#"{"errorCode":null}"#)],
            passedOver: [event("{}"), event(#"{"errorCode":""}"#)]),
        Example(
            "event.errorCode: *", found: [event(#"{"errorCode":""}"#)],
            passedOver: [event(#"{"errorCode":{}}"#), event("errorCode")]),
        Example(
            "DescribeInstances", found: [event(#"{"x":[{"y":"DescribeInstances"}]}"#), event(#"{"DescribeInstances":1}"#)],
            passedOver: [event(#"{"x":"DescribeInstancesX"}"#)]),
        Example(
            "rds.aliyuncs.com", found: [event(#"{"requestParameterJson":"{\"AcsHost\":\"rds.aliyuncs.com\"}"}"#)],
            passedOver: [event(#"{"x":"rds.aliyuncs"}"#)]),
        Example(
            #"#"eventName\":\"Create""#, found: [event(#"{"eventName":"Create"}"#)],
            passedOver: [event(#"{"eventName": "Create"}"#)]),
        Example("event: Create", found: [event(#"{"x":"Create it"}"#)], passedOver: [SearchLog([("x", "Create")])]),
        Example(
            "event.usedTime in [1 5]", found: [event(#"{"usedTime":5}"#), event(#"{"usedTime":"3"}"#)],
            passedOver: [event(#"{"usedTime":true}"#)]),
    ]
}
