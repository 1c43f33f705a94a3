// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Testing

/// The vendor's queries on an audit trail's logs, word for word; source: sls.md section 14.
@Suite struct SearchVendorTests {
    @Test(arguments: guide + rules) func isRead(_ search: String) throws {
        _ = try SearchPlan(search, index: SearchIndexes.trail)
    }

    @Test func ruleWithoutBracketsIsReadByPrecedence() throws {
        let read = try SearchExpression.read("event.serviceName: Oss and event.eventName: A OR event.eventName: B")
        #expect(
            read
                == .or([
                    .and([.word("event.serviceName", "Oss"), .word("event.eventName", "A")]), .word("event.eventName", "B"),
                ]))
    }

    /// One rule has SQL where a search is expected: it is refused with the way to write it.
    @Test func sqlBeforeThePipeIsRefused() throws {
        let refused = LogServiceError.parameter(
            "is not NULL at column 17 is SQL, which comes after the pipe; in a search write event.errorCode:*,"
                + " or put the words in double quotes.")
        #expect(throws: refused) {
            try SearchPlan("event.errorCode is not NULL and event.errorCode != ''", index: SearchIndexes.trail)
        }
        #expect(throws: LogServiceError.self) { try SearchPlan("event.errorCode != ''", index: SearchIndexes.trail) }
    }

    private static let signIn = #""eventName":"ConsoleSignin","errorMessage":"#

    @Test func failedSignIns() throws {
        let plan = try SearchPlan(Self.rules[0], index: SearchIndexes.trail)
        #expect(SearchLog(event: "{" + Self.signIn + #""wrong password"}"#).isFound(by: plan))
        #expect(!SearchLog(event: "{" + Self.signIn + #""success"}"#).isFound(by: plan))
        #expect(!SearchLog(event: #"{"eventName":"ConsoleSignin"}"#).isFound(by: plan))
    }

    @Test func signInsWithoutSecondFactor() throws {
        let plan = try SearchPlan(Self.rules[2], index: SearchIndexes.trail)
        func event(_ error: String) -> SearchLog {
            SearchLog(
                event:
                    #"{"eventName":"ConsoleSignin","userIdentity":{"type":"ram-user"},"additionalEventData":{"mfaChecked":"false"}"#
                    + error + "}")
        }
        #expect(event("").isFound(by: plan))
        #expect(event(#","errorCode":null"#).isFound(by: plan))
        #expect(event(#","errorCode":"null""#).isFound(by: plan))
        #expect(!event(#","errorCode":"Denied""#).isFound(by: plan))
    }

    @Test func rootKeys() throws {
        let plan = try SearchPlan(Self.rules[4], index: SearchIndexes.trail)
        func event(_ key: String) -> SearchLog { SearchLog(event: #"{"userIdentity":{"type":"root-account"\#(key)}}"#) }
        #expect(event(#","accessKeyId":"LTAI5t""#).isFound(by: plan))
        #expect(!event(#","accessKeyId":null"#).isFound(by: plan))
        #expect(!event("").isFound(by: plan))
    }

    @Test func unauthorisedCalls() throws {
        let plan = try SearchPlan(Self.rules[5], index: SearchIndexes.trail)
        func event(_ code: String) -> SearchLog { SearchLog(event: #"{"eventType":"ApiCall","errorCode":"\#(code)"}"#) }
        for code in ["NoPermission", "NoPermission.Trail", "Forbidden.RAM", "NotAuthorized"] {
            #expect(event(code).isFound(by: plan))
        }
        for code in ["NoPermissions", "Throttling", "NotAuthorized.X"] { #expect(!event(code).isFound(by: plan)) }
    }

    @Test func releasedInstances() throws {
        let plan = try SearchPlan(Self.rules[9], index: SearchIndexes.trail)
        func event(_ types: String) -> SearchLog {
            SearchLog(event: #"{"serviceName":"Ecs","eventName":"DeleteInstance","eventRW":"Write","resourceType":"\#(types)"}"#)
        }
        #expect(event("ACS::ECS::Disk;ACS::ECS::Instance").isFound(by: plan))
        #expect(!event("ACS::ECS::Disk").isFound(by: plan))
    }

    static let guide = [
        "DescribeInstances", "event.eventSource: actiontrail.cn-hangzhou.aliyuncs.com", "event.eventSource: actiontrail*",
        "event.userIdentity.accessKeyId: *", "event.errorCode: * AND event.userIdentity.accessKeyId: *",
        "event.eventName: Create OR event.eventName: CreateInstance OR event.eventName: RunInstances",
        "event.serviceName: AliKafka AND ( event.eventName: Create OR event.eventName: CreateInstance OR event.eventName: RunInstances )",
        #"* AND "event.eventCategory": Management AND "event.eventRW": Write"#,
        #"* AND "event.eventCategory": Management AND "event.userIdentity.userName": "xxx""#,
        #"* AND "event.eventCategory": Management AND "event.resourceType": "ACS::ECS::Instance""#,
        #"* AND "event.eventCategory": Management AND "event.resourceName": "i-xxx""#,
        #"* AND "event.eventCategory": Management AND "event.serviceName": "Ecs""#,
        #"* AND "event.eventCategory": Management "event.userIdentity.accessKeyId": "STS.xxxx""#,
        #"event.userIdentity.accessKeyId: "LTAI…" "#,
    ]

    static let rules = [
        "__topic__: actiontrail_audit_event and event.eventName: ConsoleSignin and event.errorMessage: * and not event.errorMessage: success ",
        "__topic__: actiontrail_audit_event and event.eventName: ConsoleSignin and event.userIdentity.type: root-account ",
        "__topic__: actiontrail_audit_event and event.eventName: ConsoleSignin and event.userIdentity.type: ram-user and event.additionalEventData.mfaChecked: false and (event.errorCode: null or not event.errorCode : *) ",
        "__topic__: actiontrail_audit_event and event.eventName: ConsoleSignin and (not event.errorMessage: * or event.errorMessage: success) ",
        "__topic__: actiontrail_audit_event and event.userIdentity.type: root-account and event.userIdentity.accessKeyId: * and not event.userIdentity.accessKeyId: NULL ",
        "event.eventType: ApiCall and (event.errorCode: NoPermission or event.errorCode: NoPermission.* or event.errorCode: Forbidden or event.errorCode: Forbidden.* or event.errorCode: InvalidAccessKeyId or event.errorCode: InvalidAccessKeyId.* or event.errorCode: InvalidSecurityToken or event.errorCode: SignatureDoesNotMatch or event.errorCode: InvalidAuthorization or event.errorCode: AccessForbidden or event.errorCode: NotAuthorized) ",
        "__topic__: actiontrail_audit_event and event.errorCode: * ",
        "__topic__: actiontrail_audit_event and event.serviceName: Actiontrail and (event.eventName: DeleteTrail or event.eventName: StopLogging) ",
        "event.serviceName: Kms and (event.eventName: DisableKey or event.eventName: ScheduleKeyDeletion or event.eventName: DeleteKeyMaterial) ",
        #"event.serviceName: Ecs and (event.eventName: DeleteInstances or event.eventName: DeleteInstance or event.eventName: Release) and event.eventRW: Write and event.resourceType : "ACS::ECS::Instance" "#,
        "__topic__: actiontrail_audit_event and event.eventName: SetPasswordPolicy ",
        "__topic__: actiontrail_audit_event and event.serviceName: Rds and event.eventName: ModifySecurityIps ",
        "event.insightDetails.insightType: IpInsight ",
    ]
}
