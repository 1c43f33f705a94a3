// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService

/// Queries on a trail's logstore that come with the service. Sources: sls.md section 14, which has the vendor's documented
/// queries and the queries of its alert rules.
struct SearchScene {
    struct Template {
        var id: String
        var name: String
        var query: String

        init(_ id: String, _ name: String, _ query: String) {
            self.id = "tpl-" + id
            self.name = name
            self.query = query
        }
    }

    var id: String
    var name: String
    var description: String
    var templates: [Template]

    static let all = [overview, events, signIns, access, protection]

    private static let overview = SearchScene(
        id: "sc-overview", name: "Overview", description: "What happens, how much of it, and by whom.",
        templates: [
            Template("events", "Events", TrailQuery.events),
            Template("actors", "Actors", TrailQuery.actors),
            Template("services", "Services", TrailQuery.services),
            Template("sources", "Events by service", TrailQuery.sources),
            Template("trend", "Events and actors by hour", TrailQuery.trend),
            Template(
                "countries", "Events by country",
                #"* | select ip_to_country("event.sourceIpAddress") as c, count(1) as n group by c"#),
            Template(
                "failures", "Failures by hour",
                #"""
                event.errorCode: * | select date_format(date_trunc('hour', __time__), '%m-%d %H:%i') as t, \#
                count(1) as failures group by t order by t limit 1000
                """#),
        ])

    private static let events = SearchScene(
        id: "sc-events", name: "Events", description: "Searches for events themselves.",
        templates: [
            Template("writes", "Changes", #"* AND "event.eventCategory": Management AND "event.eventRW": Write"#),
            Template("with-keys", "Calls with access keys", "event.userIdentity.accessKeyId: *"),
            Template(
                "failed-with-keys", "Failed calls with access keys",
                "event.errorCode: * AND event.userIdentity.accessKeyId: *"),
            Template(
                "table", "Changes as a table",
                #"""
                * AND "event.eventCategory": Management AND "event.eventRW": Write | select "event.acsRegion" as acsRegion, \#
                "event.eventId" as eventId, "event.eventName" as eventName, "event.eventRW" as eventRW, \#
                from_unixtime(__time__) as eventTime, "event.errorCode" as errorCode, \#
                "event.requestParameterJson" as requestParameterJson, "event.resourceName" as resourceName, \#
                "event.resourceType" as resourceType, "event.serviceName" as serviceName, \#
                "event.sourceIpAddress" as sourceIpAddress, "event.userIdentity.accessKeyId" as accessKeyId, \#
                "event.userIdentity.userName" as userName
                """#),
            Template(
                "released", "Released instances",
                #"""
                event.serviceName: Ecs and (event.eventName: DeleteInstances or event.eventName: DeleteInstance or \#
                event.eventName: Release) and event.eventRW: Write and event.resourceType : "ACS::ECS::Instance" | \#
                SELECT COALESCE(account_id, recipientAccountId) as account_id, ram_user_id, resourceArray[num] as instance_id, \#
                arbitrary(user_name) as user_name, arbitrary(region_id) as region_id FROM (SELECT \#
                "event.userIdentity.accountId" as account_id, "event.recipientAccountId" as recipientAccountId, \#
                "event.userIdentity.principalId" as ram_user_id, split("event.resourceName", ';') as resourceArray, \#
                array_position(split("event.resourceType", ';'), 'ACS::ECS::Instance') as num, \#
                "event.userIdentity.userName" as user_name, "event.acsRegion" as region_id FROM log) where num > 0 \#
                group by account_id, ram_user_id, instance_id limit 10000
                """#),
        ])

    private static let signIns = SearchScene(
        id: "sc-sign-ins", name: "Sign-ins", description: "Who signed in on the console, from where, and who could not.",
        templates: [
            Template(
                "failed-sign-ins", "Failed sign-ins",
                #"""
                __topic__: actiontrail_audit_event and event.eventName: ConsoleSignin and event.errorMessage: * and \#
                not event.errorMessage: success | select "event.userIdentity.principalId" as user_id, \#
                "event.userIdentity.userName" as user_name, count(1) as cnt group by user_id, user_name limit 10000
                """#),
            Template(
                "root-sign-ins", "Sign-ins of the account itself",
                #"""
                __topic__: actiontrail_audit_event and event.eventName: ConsoleSignin and \#
                event.userIdentity.type: root-account | select "event.userIdentity.accountId" as account_id, \#
                count(1) as cnt group by account_id limit 10000
                """#),
            Template(
                "sign-ins-without-mfa", "Sign-ins of RAM users without MFA",
                #"""
                __topic__: actiontrail_audit_event and event.eventName: ConsoleSignin and \#
                event.userIdentity.type: ram-user and event.additionalEventData.mfaChecked: false and \#
                (event.errorCode: null or not event.errorCode : *) | select "event.userIdentity.accountId" as root_account_id, \#
                "event.userIdentity.principalId" as ram_account_id, \#
                arbitrary("event.userIdentity.userName") as ram_account_name, count(1) as cnt \#
                group by root_account_id, ram_account_id limit 1000
                """#),
            Template(
                "sign-ins-by-address", "Sign-ins by user and address",
                #"""
                __topic__: actiontrail_audit_event and event.eventName: ConsoleSignin and (not event.errorMessage: * or \#
                event.errorMessage: success) | select "event.userIdentity.principalId" as user_id, \#
                "event.sourceIpAddress" as ip, arbitrary("event.userIdentity.userName") as user_name, \#
                arbitrary("event.userIdentity.type") as user_type, count(DISTINCT __time__) as cnt group by user_id, ip \#
                limit 10000
                """#),
        ])

    private static let access = SearchScene(
        id: "sc-access", name: "Access", description: "Use of the root key, and what was refused.",
        templates: [
            Template(
                "root-key", "Use of the account's own keys",
                #"""
                __topic__: actiontrail_audit_event and event.userIdentity.type: root-account and \#
                event.userIdentity.accessKeyId: * and not event.userIdentity.accessKeyId: NULL | \#
                select date_format(min(__time__), '%Y-%m-%d %H:%i:%S') as min_time, \#
                date_format(max(__time__), '%Y-%m-%d %H:%i:%S') as latest_time, "event.userIdentity.accountId" as account_id, \#
                "event.userIdentity.accessKeyId" as access_key_id, \#
                sum(case when "event.errorCode" is NULL or "event.errorCode" = '' then 1 else 0 end) as success_cnt, \#
                sum(case when "event.errorCode" is NULL or "event.errorCode" = '' then 0 else 1 end) as fail_cnt \#
                group by account_id, access_key_id limit 10000
                """#),
            Template(
                "unauthorised", "Unauthorised calls by service and address",
                #"""
                event.eventType: ApiCall and (event.errorCode: NoPermission or event.errorCode: NoPermission.* or \#
                event.errorCode: Forbidden or event.errorCode: Forbidden.* or event.errorCode: InvalidAccessKeyId or \#
                event.errorCode: InvalidAccessKeyId.* or event.errorCode: InvalidSecurityToken or \#
                event.errorCode: SignatureDoesNotMatch or event.errorCode: InvalidAuthorization or \#
                event.errorCode: AccessForbidden or event.errorCode: NotAuthorized) | select \#
                "event.userIdentity.accountId" as account_id, "event.serviceName" as service_name, \#
                "event.sourceIpAddress" as source_ip,count(1) as cnt group by account_id, service_name,source_ip \#
                order by cnt desc limit 10000
                """#),
            Template(
                "errors", "Errors by service and code",
                #"""
                __topic__: actiontrail_audit_event and event.errorCode: * | select \#
                COALESCE("event.userIdentity.accountId", "event.recipientAccountId") as account_id, \#
                "event.serviceName" as service_name, "event.errorCode" as error_code, count(1) as cnt \#
                group by account_id, service_name, error_code order by cnt desc limit 10000
                """#),
            Template(
                "unusual-addresses", "Unusual addresses",
                #"""
                event.insightDetails.insightType: IpInsight | select array_agg(distinct "event.acsRegion") as regions, \#
                array_agg(distinct "event.insightDetails.insightObject") as ips, count(1) as cnt from log
                """#),
        ])

    private static let protection = SearchScene(
        id: "sc-protection", name: "Protection", description: "What weakens the trail, its keys, or who may sign in.",
        templates: [
            Template(
                "trail-off", "Trails switched off",
                #"""
                __topic__: actiontrail_audit_event and event.serviceName: Actiontrail and (event.eventName: DeleteTrail or \#
                event.eventName: StopLogging) | select "event.userIdentity.accountId" as account_id, \#
                arbitrary("event.userIdentity.principalId") as ram_user_id, \#
                arbitrary("event.userIdentity.type") as user_type, \#
                arbitrary("event.userIdentity.userName") as user_name group by account_id
                """#),
            Template(
                "keys-off", "Keys disabled or scheduled for deletion",
                #"""
                event.serviceName: Kms and (event.eventName: DisableKey or event.eventName: ScheduleKeyDeletion or \#
                event.eventName: DeleteKeyMaterial) | select \#
                COALESCE("event.userIdentity.accountId", "event.recipientAccountId") as account_id, \#
                "event.userIdentity.principalId" as ram_user_id, "event.eventName" as event_name, count(1) as cnt \#
                group by account_id, ram_user_id, event_name limit 10000
                """#),
            Template(
                "password-age", "Password policies without a maximum age",
                #"""
                __topic__: actiontrail_audit_event and event.eventName: SetPasswordPolicy | SELECT \#
                arbitrary(user_name) as user_name, account_id, ram_user_id, count(1) as cnt FROM ( SELECT \#
                cast(json_extract("event.requestParameterJson", '$.MaxPasswordAge') as bigint) as user_max_pwd_age, \#
                "event.userIdentity.userName" as user_name, "event.userIdentity.principalId" as ram_user_id, \#
                "event.userIdentity.accountId" as account_id FROM log ) \#
                WHERE user_max_pwd_age > 90 or user_max_pwd_age = 0 group by account_id, ram_user_id limit 10000
                """#),
            Template(
                "open-whitelists", "Databases opened to everybody",
                #"""
                __topic__: actiontrail_audit_event and event.serviceName: Rds and event.eventName: ModifySecurityIps | SELECT \#
                account_id, ram_user_id, security_ips, count(1) as cnt FROM ( SELECT \#
                cast(json_extract("event.requestParameterJson", '$.SecurityIps') as varchar) as security_ips, \#
                "event.userIdentity.principalId" as ram_user_id, "event.userIdentity.accountId" as account_id FROM log ) \#
                WHERE security_ips like '%0.0.0.0%' group by account_id, ram_user_id, security_ips limit 10000
                """#),
        ])
}
