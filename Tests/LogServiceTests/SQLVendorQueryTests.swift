// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Testing

/// The SQL of the vendor's documents and alert rules, word for word, over twelve events; the answers are worked out by hand.
/// Source: sls.md section 14. Where the source leaves something out (`…`), something plausible stands.
@Suite struct `A query of the vendor's` {
    private static let names = [
        "__time__", "__topic__", "event.eventId", "event.eventName", "event.eventRW", "event.eventType", "event.serviceName",
        "event.acsRegion",
        "event.sourceIpAddress", "event.errorCode", "event.errorMessage", "event.recipientAccountId", "event.resourceType",
        "event.resourceName",
        "event.requestParameterJson", "event.userIdentity.type", "event.userIdentity.accountId", "event.userIdentity.principalId",
        "event.userIdentity.userName", "event.userIdentity.accessKeyId", "event.insightDetails.insightObject",
    ]

    /// Fields by the names' last parts; the rest is absent.
    private static func event(_ number: Int, _ fields: [String: String]) -> [String?] {
        var all = [
            "__time__": String(1_700_000_000 + number * 600), "__topic__": "actiontrail_audit_event",
            "event.eventId": "e\(number)",
        ]
        for (key, value) in fields {
            let name = names.first { $0 == "event." + key || $0 == "event.userIdentity." + key }
            all[name ?? "event.insightDetails." + key] = value
        }
        return names.map { all[$0] }
    }

    private static let alice = ["type": "ram-user", "accountId": "100", "principalId": "201", "userName": "alice"]
    private static let bob = ["type": "ram-user", "accountId": "100", "principalId": "202", "userName": "bob"]
    private static let root = [
        "type": "root-account", "accountId": "100", "principalId": "100", "userName": "root", "accessKeyId": "LTAIroot",
    ]

    static let rows = SQLRows(
        columns: names.map { SQLColumn(name: $0, type: $0 == "__time__" ? .bigint : .varchar) },
        rows: [
            event(
                0,
                alice.merging([
                    "eventName": "ConsoleSignin", "sourceIpAddress": "192.0.2.1", "errorMessage": "wrong password",
                    "serviceName": "AasCustomer",
                ]) { $1 }),
            event(
                1,
                alice.merging([
                    "eventName": "ConsoleSignin", "sourceIpAddress": "192.0.2.1", "errorMessage": "success",
                    "serviceName": "AasCustomer",
                ]) { $1 }),
            event(
                2,
                bob.merging([
                    "eventName": "ConsoleSignin", "sourceIpAddress": "192.0.2.2", "errorMessage": "wrong password",
                    "serviceName": "AasCustomer",
                ]) { $1 }),
            event(
                3, root.merging(["eventName": "DescribeInstances", "serviceName": "Ecs", "sourceIpAddress": "10.0.0.1"]) { $1 }),
            event(
                4,
                root.merging([
                    "eventName": "DeleteTrail", "serviceName": "Actiontrail", "sourceIpAddress": "10.0.0.1",
                    "errorCode": "NoPermission",
                ]) { $1 }),
            event(
                5,
                root.merging([
                    "eventName": "StopLogging", "serviceName": "Actiontrail", "sourceIpAddress": "10.0.0.2", "errorCode": "",
                ]) { $1 }),
            event(
                6,
                [
                    "recipientAccountId": "300", "errorCode": "Forbidden.RAM", "serviceName": "Kms", "eventName": "DisableKey",
                    "principalId": "x:y", "type": "assumed-role",
                ]),
            event(
                7,
                alice.merging([
                    "eventName": "DeleteInstances", "serviceName": "Ecs", "eventRW": "Write",
                    "resourceType": "ACS::ECS::Disk;ACS::ECS::Instance",
                    "resourceName": "d-1;i-2", "acsRegion": "cn-hangzhou",
                ]) { $1 }),
            event(
                8,
                bob.merging([
                    "eventName": "Release", "serviceName": "Ecs", "resourceType": "ACS::ECS::Disk", "resourceName": "d-9",
                    "acsRegion": "cn-beijing",
                ]) { $1 }),
            event(
                9,
                alice.merging([
                    "eventName": "SetPasswordPolicy", "serviceName": "Ram",
                    "requestParameterJson": #"{"MaxPasswordAge":0,"HardExpiry":true}"#,
                ]) { $1 }),
            event(
                10,
                bob.merging([
                    "eventName": "SetPasswordPolicy", "serviceName": "Ram", "requestParameterJson": #"{"MaxPasswordAge":"30"}"#,
                ]) { $1 }),
            event(
                11,
                bob.merging([
                    "eventName": "ModifySecurityIps", "serviceName": "Rds",
                    "requestParameterJson": #"{"SecurityIps":"10.0.0.0/8,0.0.0.0/0"}"#,
                    "resourceType": "ACS::RDS::DBInstance", "resourceName": "rm-1", "acsRegion": "cn-hangzhou",
                    "insightObject": "192.0.2.9",
                ]) { $1 }),
        ])

    static let cases: [(String, [[String]])] = [
        (
            #"select "event.userIdentity.principalId" as user_id, "event.userIdentity.userName" as user_name, count(1) as cnt where "event.eventName" = 'ConsoleSignin' and "event.errorMessage" <> 'success' group by user_id, user_name limit 10000"#,
            [["201", "alice", "1"], ["202", "bob", "1"]]
        ),
        (
            #"select "event.userIdentity.accountId" as account_id, count(1) as cnt group by account_id limit 10000"#,
            [["100", "11"], ["null", "1"]]
        ),
        (
            #"select "event.userIdentity.accountId" as root_account_id, "event.userIdentity.principalId" as ram_account_id, arbitrary("event.userIdentity.userName") as ram_account_name, count(1) as cnt group by root_account_id, ram_account_id limit 1000"#,
            [
                ["100", "201", "alice", "4"], ["100", "202", "bob", "4"], ["100", "100", "root", "3"],
                ["null", "x:y", "null", "1"],
            ]
        ),
        (
            #"select "event.userIdentity.principalId" as user_id, "event.sourceIpAddress" as ip, arbitrary("event.userIdentity.userName") as user_name, arbitrary("event.userIdentity.type") as user_type, count(DISTINCT __time__) as cnt group by user_id, ip limit 10000"#,
            [
                ["201", "192.0.2.1", "alice", "ram-user", "2"], ["202", "192.0.2.2", "bob", "ram-user", "1"],
                ["100", "10.0.0.1", "root", "root-account", "2"],
                ["100", "10.0.0.2", "root", "root-account", "1"], ["x:y", "null", "null", "assumed-role", "1"],
                ["201", "null", "alice", "ram-user", "2"],
                ["202", "null", "bob", "ram-user", "3"],
            ]
        ),
        (
            #"select date_format(min(__time__), '%Y-%m-%d %H:%i:%S') as min_time, date_format(max(__time__), '%Y-%m-%d %H:%i:%S') as latest_time, "event.userIdentity.accountId" as account_id, "event.userIdentity.accessKeyId" as access_key_id, sum(case when "event.errorCode" is NULL or "event.errorCode" = '' then 1 else 0 end) as success_cnt, sum(case when "event.errorCode" is NULL or "event.errorCode" = '' then 0 else 1 end) as fail_cnt group by account_id, access_key_id limit 10000"#,
            [
                ["2023-11-15 06:13:20", "2023-11-15 08:03:20", "100", "null", "8", "0"],
                ["2023-11-15 06:43:20", "2023-11-15 07:03:20", "100", "LTAIroot", "2", "1"],
                ["2023-11-15 07:13:20", "2023-11-15 07:13:20", "null", "null", "0", "1"],
            ]
        ),
        (
            #"select "event.userIdentity.accountId" as account_id, "event.serviceName" as service_name, "event.sourceIpAddress" as source_ip,count(1) as cnt group by account_id, service_name,source_ip order by cnt desc limit 10000"#,
            [
                ["100", "AasCustomer", "192.0.2.1", "2"], ["100", "Ecs", "null", "2"], ["100", "Ram", "null", "2"],
                ["100", "AasCustomer", "192.0.2.2", "1"],
                ["100", "Ecs", "10.0.0.1", "1"], ["100", "Actiontrail", "10.0.0.1", "1"],
                ["100", "Actiontrail", "10.0.0.2", "1"], ["null", "Kms", "null", "1"],
                ["100", "Rds", "null", "1"],
            ]
        ),
        (
            #"select COALESCE("event.userIdentity.accountId", "event.recipientAccountId") as account_id, count(1) as cnt group by account_id"#,
            [["100", "11"], ["300", "1"]]
        ),
        (
            #"select "event.userIdentity.accountId" as account_id, arbitrary("event.userIdentity.principalId") as ram_user_id, arbitrary("event.userIdentity.type") as user_type, arbitrary("event.userIdentity.userName") as user_name group by account_id"#,
            [["100", "201", "ram-user", "alice"], ["null", "x:y", "assumed-role", "null"]]
        ),
        (
            #"select COALESCE("event.userIdentity.accountId", "event.recipientAccountId") as account_id, "event.userIdentity.principalId" as ram_user_id, "event.eventName" as event_name, arbitrary("event.errorCode") as code where "event.serviceName" = 'Kms' group by account_id, ram_user_id, event_name limit 10000"#,
            [["300", "x:y", "DisableKey", "Forbidden.RAM"]]
        ),
        (
            #"SELECT COALESCE(account_id, recipientAccountId) as account_id, ram_user_id, resourceArray[num] as instance_id, arbitrary(user_name) as user_name, arbitrary(region_id) as region_id FROM (SELECT "event.userIdentity.accountId" as account_id, "event.recipientAccountId" as recipientAccountId, "event.userIdentity.principalId" as ram_user_id, split("event.resourceName", ';') as resourceArray, array_position(split("event.resourceType", ';'), 'ACS::ECS::Instance') as num, "event.userIdentity.userName" as user_name, "event.acsRegion" as region_id FROM log) where num > 0 group by account_id, ram_user_id, instance_id limit 10000"#,
            [["100", "201", "i-2", "alice", "cn-hangzhou"]]
        ),
        (
            #"SELECT arbitrary(user_name) as user_name, account_id, ram_user_id, count(1) as cnt FROM ( SELECT cast(json_extract("event.requestParameterJson", '$.MaxPasswordAge') as bigint) as user_max_pwd_age, "event.userIdentity.userName" as user_name, "event.userIdentity.principalId" as ram_user_id, "event.userIdentity.accountId" as account_id FROM log ) WHERE user_max_pwd_age > 90 or user_max_pwd_age = 0 group by account_id, ram_user_id limit 10000"#,
            [["alice", "100", "201", "1"]]
        ),
        (
            #"SELECT account_id, arbitrary(security_ips) as ips FROM ( SELECT "event.userIdentity.accountId" as account_id, cast(json_extract("event.requestParameterJson", '$.SecurityIps') as varchar) as security_ips, array_position(split("event.resourceType", ';'), 'ACS::RDS::DBInstance') as db_num FROM log ) WHERE security_ips like '%0.0.0.0%' and db_num > 0 group by account_id"#,
            [["100", "10.0.0.0/8,0.0.0.0/0"]]
        ),
        (
            #"select array_agg(distinct "event.acsRegion") as regions, array_agg(distinct "event.insightDetails.insightObject") as ips, count(1) as cnt from log"#,
            [[#"[null,"cn-hangzhou","cn-beijing"]"#, #"[null,"192.0.2.9"]"#, "12"]]
        ),
        (#"select count(1) as use_ak where "event.userIdentity.accessKeyId" = 'LTAIroot'"#, [["3"]]),
        (
            #"SELECT "event.serviceName" AS serviceName, count(*) AS c GROUP BY serviceName ORDER BY c DESC"#,
            [["AasCustomer", "3"], ["Ecs", "3"], ["Actiontrail", "2"], ["Ram", "2"], ["Kms", "1"], ["Rds", "1"]]
        ),
        (
            #"select "event.acsRegion" as acsRegion, "event.eventId" as eventId, "event.eventName" as eventName, "event.eventRW" as eventRW, from_unixtime(__time__) as eventTime, "event.errorCode" as errorCode, "event.requestParameterJson" as requestParameterJson, "event.resourceName" as resourceName, "event.resourceType" as resourceType, "event.serviceName" as serviceName, "event.sourceIpAddress" as sourceIpAddress, "event.userIdentity.accessKeyId" as accessKeyId, "event.userIdentity.userName" as userName where "event.eventRw" = 'Write'"#,
            [
                [
                    "cn-hangzhou", "e7", "DeleteInstances", "Write", "2023-11-15 07:23:20.000", "null", "null", "d-1;i-2",
                    "ACS::ECS::Disk;ACS::ECS::Instance", "Ecs", "null",
                    "null", "alice",
                ]
            ]
        ),
        ("select count(1) as pv", [["12"]]), (#"select approx_distinct("event.userIdentity.principalId") as uv"#, [["4"]]),
        (#"select approx_distinct("event.serviceName") as n"#, [["6"]]),
        (
            #"select "event.serviceName" as s, count(1) as c group by s order by c desc limit 20"#,
            [["AasCustomer", "3"], ["Ecs", "3"], ["Actiontrail", "2"], ["Ram", "2"], ["Kms", "1"], ["Rds", "1"]]
        ),
        (
            #"select date_format(date_trunc('hour', __time__), '%m-%d %H:%i') as t, count(1) as pv, approx_distinct("event.userIdentity.principalId") as uv group by t order by t limit 1000"#,
            [["11-15 06:00", "5", "3"], ["11-15 07:00", "6", "4"], ["11-15 08:00", "1", "1"]]
        ),
        (
            #"select ip_to_country("event.sourceIpAddress") as c, count(1) as n group by c"#, [["null", "9"], ["内网IP", "3"]]
        ),
    ]

    @Test(arguments: cases) func `gives its answer`(_ sql: String, _ rows: [[String]]) throws {
        #expect(try Self.rows.ask(sql).rows == rows, "\(sql)")
    }

    /// Shapes that the rules rely on, besides.
    @Test func `may build a JSON path`() throws {
        let sql =
            #"select json_extract("event.requestParameterJson", concat('$.', lower('MAXPASSWORDAGE'))) as a, case "event.userIdentity.type" when 'ram-user' then 'user' else 'other' end as k where "event.eventName" = 'SetPasswordPolicy' order by k"#
        #expect(try Self.rows.ask(sql).rows == [["null", "user"], ["null", "user"]])
    }
}
