// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One form of an operation's events: which fields and parameters they have, in which order.
///
/// - Source: actiontrail.md section 17 for the fields; optional ones are there or not by the form.
struct TrafficForm {
    /// The event up to where an error stands, and from there to the caller's address.
    var head: String
    var tail: String

    init(of operation: TrafficOperation, using generator: inout SplitMix64) {
        let service = operation.service
        let parameters = JSON.object(Self.parameters(of: operation, using: &generator))
        let response = Self.response(of: operation, using: &generator)
        let text = parameters.serialized + (response?.serialized ?? "")
        let resource = text.contains(TrafficSlot.resource.mark) ? TrafficSlot.resource.mark : nil
        let type = "ACS::\(service.resourceSpace)::\(operation.noun)"
        head =
            "{"
            + Self.fields([
                ("acsRegion", .text(TrafficSlot.region.mark)),
                ("additionalEventData", ["CallerBid": .text(generator.chance(perMille: 667) ? "26842" : "26888")]),
                ("apiVersion", .text(service.version)),
            ])
        tail = Self.fields([
            ("eventCategory", "Management"), ("eventId", .text(TrafficSlot.requestId.mark)), ("eventName", .text(operation.name)),
            ("eventRW", operation.writes ? "Write" : "Read"), ("eventSource", .text(service.host)),
            ("eventTime", .text(TrafficSlot.time.mark)),
            ("eventType", generator.chance(perMille: 100) ? "ConsoleOperation" : "ApiCall"), ("eventVersion", "1"),
            ("isGlobal", false), ("recipientAccountId", .text(TrafficSlot.account.mark)),
            ("referencedResources", resource.map { .object([.init(name: type, value: [.text($0)])]) }),
            ("requestId", .text(TrafficSlot.requestId.mark)),
            ("requestParameterJson", generator.chance(perMille: 735) ? .document(parameters) : nil),
            ("requestParameters", parameters), ("resourceName", resource.map { .text($0) }),
            ("resourceType", resource.map { _ in .text(type) }), ("responseElements", response),
            ("serviceName", .text(service.product)),
        ])
    }

    /// Signing in to the console, or out of it.
    init(signIn name: String, usesMFA: Bool) {
        let page = "https://home.console.aliyun.com/home/dashboard?source=" + TrafficSlot.token.mark
        head =
            "{"
            + Self.fields([
                ("acsRegion", "cn-hangzhou"),
                ("additionalEventData", ["callbackUrl": .text(page), "mfaChecked": .text(usesMFA ? "true" : "false")]),
            ])
        tail = Self.fields([
            ("eventCategory", "Management"), ("eventId", .text(TrafficSlot.requestId.mark)), ("eventName", .text(name)),
            ("eventRW", "Write"), ("eventSource", "signin.aliyun.com"), ("eventTime", .text(TrafficSlot.time.mark)),
            ("eventType", .text(name)), ("eventVersion", "1"), ("isGlobal", true),
            ("recipientAccountId", .text(TrafficSlot.account.mark)), ("requestId", .text(TrafficSlot.requestId.mark)),
            ("serviceName", "AasSub"),
        ])
    }

    private static func fields(_ fields: [(String, JSON?)]) -> String {
        fields.compactMap { name, value in value.map { "\"\(name)\":\($0.serialized)," } }.joined()
    }

    // MARK: Parameters

    /// Creating says what is created, other writing and half of the reading name a resource, the rest asks for a page.
    private static func parameters(of operation: TrafficOperation, using generator: inout SplitMix64) -> [JSON.Field] {
        var fields: [JSON.Field] = []
        func add(_ name: String, _ value: JSON) { fields.append(.init(name: name, value: value)) }
        func one(of values: [String]) -> JSON { .text(values[generator.next(below: values.count)]) }
        let service = operation.service
        if generator.chance(perMille: 550) { add("AcsHost", .text(service.host)) }
        add("RegionId", .text(TrafficSlot.region.mark))
        if operation.name.hasPrefix("AssumeRole") {
            add("RoleArn", .text("acs:ram::\(TrafficSlot.account.mark):role/\(TrafficSlot.name.mark)"))
            add("RoleSessionName", .text(TrafficSlot.name.mark))
            add("DurationSeconds", 3600)
        } else if operation.creates {
            add("\(operation.noun)Name", .text(TrafficSlot.name.mark))
            add("Description", one(of: ["made by the deployment", "of \(TrafficSlot.name.mark)", "do not change by hand", ""]))
            add("ClientToken", .text(TrafficSlot.token.mark))
            for number in 1..<generator.next(in: 2...4) {
                add("Tag.\(number).Key", one(of: ["stage", "team", "service", "cost-unit", "managed-by"]))
                add("Tag.\(number).Value", one(of: ["prod", "test", "web", TrafficSlot.name.mark, "billing"]))
            }
            if ["Ecs", "Rds", "CS", "R-kvstore", "polardb", "Dds", "Eci"].contains(service.product) {
                add("ZoneId", .text(TrafficSlot.region.mark + "-b"))
                add("VSwitchId", .text(TrafficSlot.vswitch.mark))
                add("SecurityGroupId", .text(TrafficSlot.group.mark))
                add("InstanceType", one(of: ["ecs.g8i.large", "ecs.c7.xlarge", "ecs.r7.2xlarge", "mysql.n2.medium.1"]))
                add("ImageId", "aliyun_3_9_x64_20G_alibase_20250117.vhd")
                add("SystemDisk.Category", "cloud_essd")
                add("SystemDisk.Size", .number(TrafficSlot.size.mark))
                add("InternetMaxBandwidthOut", 0)
                add("SecurityEnhancementStrategy", "Active")
                add("IoOptimized", true)
            }
            if service.resourceSpace == "RAM" && operation.noun.hasPrefix("Policy") { add("PolicyDocument", .document(policy)) }
        } else if operation.writes {
            add("\(operation.noun)Id", .text(TrafficSlot.resource.mark))
            if ["Security", "Access", "Acl", "Firewall", "Rule"].contains(where: operation.name.contains) {
                add("SourceCidrIp", .text(TrafficSlot.cidr.mark))
                add("IpProtocol", "tcp")
                add("PortRange", "443/443")
                add("Policy", "accept")
                add("Priority", 1)
                add("NicType", "intranet")
            } else if generator.chance(perMille: 500) {
                add("ClientToken", .text(TrafficSlot.token.mark))
                add("DryRun", false)
                add("Force", .flag(generator.chance(perMille: 300)))
            } else {
                add("Attribute", one(of: ["Name", "Description", "DeletionProtection"]))
                add("Value", .text(TrafficSlot.name.mark))
            }
        } else {
            if generator.chance(perMille: 500) {
                add("PageNumber", .number(TrafficSlot.page.mark))
                add("PageSize", .number(["10", "20", "50", "100"][generator.next(below: 4)]))
                if generator.chance(perMille: 400) {
                    add("Filter.1.Key", "Status")
                    add("Filter.1.Value", one(of: ["Running", "Available", "Active"]))
                }
            } else {
                add("\(operation.noun)Id", .text(TrafficSlot.resource.mark))
            }
            if service.product == "Cms" {
                add("Namespace", "acs_ecs_dashboard")
                add("MetricName", one(of: ["CPUUtilization", "DiskWriteBPS", "InternetOutRate"]))
                add("Period", 60)
                add("StartTime", .text(TrafficSlot.time.mark))
                add("Dimensions", [["instanceId": .text(TrafficSlot.resource.mark)]])
            }
        }
        add("AcsProduct", .text(service.product))
        if generator.chance(perMille: 600) { add("AcceptLanguage", one(of: ["zh-CN", "zh-CN", "en-US"])) }
        if generator.chance(perMille: 500) { add("RequestId", .text(TrafficSlot.requestId.mark)) }
        if generator.chance(perMille: 450) {
            add("ClientPort", .number(TrafficSlot.port.mark))
            add("X-Acs-Client-Tls-Version", "TLSv1.3")
            add("X-Acs-Client-Tls-Cipher-Suite", "TLS_AES_128_GCM_SHA256")
        }
        return fields
    }

    private static let policy: JSON = [
        "Version": "1",
        "Statement": [
            [
                "Effect": "Allow", "Action": ["oss:GetObject", "oss:ListObjects"],
                "Resource": [.text("acs:oss:*:\(TrafficSlot.account.mark):\(TrafficSlot.resource.mark)/*")],
                "Condition": ["IpAddress": ["acs:SourceIp": .text(TrafficSlot.cidr.mark)]],
            ]
        ],
    ]

    private static func response(of operation: TrafficOperation, using generator: inout SplitMix64) -> JSON? {
        guard operation.writes else { return nil }
        var fields: [JSON.Field] = [.init(name: "RequestId", value: .text(TrafficSlot.requestId.mark))]
        if operation.name.hasPrefix("AssumeRole") {
            fields.append(
                .init(
                    name: "AssumedRoleUser",
                    value: [
                        "Arn": .text("acs:ram::\(TrafficSlot.account.mark):role/\(TrafficSlot.name.mark)/session"),
                        "AssumedRoleId": .text("3\(TrafficSlot.account.mark):session"),
                    ]))
            fields.append(
                .init(
                    name: "Credentials",
                    value: [
                        "AccessKeyId": .text("STS.\(TrafficSlot.token.mark)"), "Expiration": .text(TrafficSlot.time.mark),
                    ]))
        } else if operation.creates {
            fields.append(.init(name: "\(operation.noun)Id", value: .text(TrafficSlot.resource.mark)))
            if generator.chance(perMille: 400) {
                fields.append(.init(name: "TaskId", value: .text("t-" + TrafficSlot.token.mark)))
            }
        }
        return .object(fields)
    }
}

extension TrafficOperation {
    fileprivate var creates: Bool { writes && ["Create", "Run", "Put", "Start", "Add"].contains(where: name.hasPrefix) }
}
