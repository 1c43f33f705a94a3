// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Makes an ActionTrail event of a CloudEvent.
///
/// - Source: CloudEvents 1.0.2 (JSON format), and its auth context extension for `authtype` and `authid`.
enum CloudEventsAdapter {
    /// Fills `draft`, or says why the record cannot be one.
    static func fill(
        _ draft: inout EventDraft, _ scratch: inout ScratchPad, _ slots: borrowing RecordSlots,
        _ context: borrowing ContextTexts
    ) -> RejectionCode? {
        let id = scratch.text(slots[.id])
        let source = scratch.text(slots[.source])
        let type = scratch.text(slots[.type])
        guard slots.present(.specversion) != nil || !(id.isEmpty && source.isEmpty && type.isEmpty) else {
            return .notCloudEvent
        }
        if id.isEmpty { return .missingId }
        if source.isEmpty { return .missingSource }
        if type.isEmpty { return .missingType }
        if let time = slots[.time], !time.isEmptyString {
            draft.timeMilliseconds = ActionTrailRecord.time(time, scratch: &scratch)
            if draft.timeMilliseconds == nil { return .invalidEventTime }
        }
        draft.eventId = id
        draft.eventName = type
        draft.eventSource = source
        draft.serviceName = service(type: type, source: source)
        draft.isWrite = !isReading(type)
        draft.acsRegion = context.region
        draft.recipientAccountId = context.accountId
        let subject = scratch.text(slots[.subject])
        draft.addResource("CloudEvents::Subject", subject)

        let data = slots[.data].flatMap { $0.kind == .object ? $0 : nil }
        fillActor(&draft, &scratch, slots, data)
        if let data {
            draft.sourceIpAddress = scratch.text(data.member("sourceIpAddress") ?? data.member("sourceIp"))
            draft.userAgent = scratch.text(data.member("userAgent"))
            if data.member("eventName") != nil, data.member("eventId") != nil {
                return fillFromActionTrail(&draft, &scratch, data)
            }
        }
        return nil
    }

    // MARK: A CloudEvent of its own

    /// `github` of `com.github.push`, `ecs` of `ecs:ActionTrail:ApiCall`; else the source's host, or the source.
    private static func service(type: Text, source: Text) -> Text {
        if let colon = type.firstIndex(of: ":"), colon > 0 { return type.part(0..<colon) }
        if let first = type.firstIndex(of: "."), first > 0 {
            let rest = type.part(first + 1..<type.count)
            if let second = rest.firstIndex(of: "."), second > 0, isTopLevelDomain(type.part(0..<first)) {
                return rest.part(0..<second)
            }
        }
        for index in 0..<max(source.count - 2, 0)
        where source[index] == UInt8(ascii: "/") && source[index + 1] == UInt8(ascii: "/") {
            return source.part(index + 2..<source.count).before("/").or(source)
        }
        return source
    }

    private static func isTopLevelDomain(_ label: Text) -> Bool {
        let known: [StaticString] = ["com", "org", "net", "dev", "edu", "gov", "app", "cloud", "info"]
        return label.count == 2 || known.contains { label.equals($0) }
    }

    private static func isReading(_ type: Text) -> Bool {
        let marks = [UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "_")]
        let start = type.lastIndex { marks.contains($0) }.map { $0 + 1 } ?? 0
        return ReadVerbs.isRead(type.part(start..<type.count))
    }

    /// Who acted: the auth context, or what producers commonly put into `data`.
    private static func fillActor(
        _ draft: inout EventDraft, _ scratch: inout ScratchPad, _ slots: borrowing RecordSlots, _ data: JSONValue?
    ) {
        draft.identity.accountId = draft.recipientAccountId
        let authType = scratch.text(slots[.authtype])
        let authId = scratch.text(slots[.authid])
        if !authType.isEmpty || !authId.isEmpty {
            let isMachine = authType.equals("system") || authType.equals("service_account")
            draft.identity.type = Text(isMachine ? "system" : "ram-user")
            draft.identity.userName = authId.or(authType)
            draft.identity.principalId = authId
            if authType.equals("api_key") { draft.identity.accessKeyId = authId }
            return
        }
        guard let data else { return }
        if let identity = data.member("userIdentity"), identity.kind == .object {
            draft.copiedIdentity = identity
            return
        }
        let candidates: [StaticString] = ["userIdentity", "user", "actor"]
        for candidate in candidates {
            guard let value = data.member(candidate) else { continue }
            var name = scratch.text(value)
            let nameKeys: [StaticString] = ["userName", "username", "name", "login", "email", "id"]
            for key in nameKeys where name.isEmpty { name = scratch.text(value.member(key)) }
            guard !name.isEmpty else { continue }
            draft.identity.type = Text("ram-user")
            draft.identity.userName = name
            draft.identity.principalId = scratch.text(value.member("id")).or(name)
            return
        }
    }

    // MARK: An ActionTrail event in a CloudEvent, as EventBridge sends them

    private static func fillFromActionTrail(
        _ draft: inout EventDraft, _ scratch: inout ScratchPad, _ event: JSONValue
    ) -> RejectionCode? {
        draft.eventName = scratch.text(event.member("eventName"))
        if draft.eventName.isEmpty { return .missingEventName }
        draft.eventId = scratch.text(event.member("eventId")).or(draft.eventId)
        if let time = event.member("eventTime"), !time.isEmptyString {
            draft.timeMilliseconds = ActionTrailRecord.time(time, scratch: &scratch)
            if draft.timeMilliseconds == nil { return .invalidEventTime }
        }
        draft.isWrite =
            ReadVerbs.isWrite(eventRW: scratch.text(event.member("eventRW"))) ?? !ReadVerbs.isRead(draft.eventName)
        draft.eventCategory = scratch.text(event.member("eventCategory")).or(draft.eventCategory)
        draft.eventType = scratch.text(event.member("eventType")).or(draft.eventType)
        draft.eventSource = scratch.text(event.member("eventSource")).or(draft.eventSource)
        draft.acsRegion = scratch.text(event.member("acsRegion")).or(draft.acsRegion)
        draft.isGlobal = event.member("isGlobal")?.bool ?? false
        draft.serviceName = scratch.text(event.member("serviceName")).or(draft.serviceName)
        draft.apiVersion = scratch.text(event.member("apiVersion"))
        draft.requestId = scratch.text(event.member("requestId"))
        draft.errorCode = scratch.text(event.member("errorCode"))
        draft.errorMessage = scratch.text(event.member("errorMessage"))
        draft.sourceIpAddress = scratch.text(event.member("sourceIpAddress"))
        draft.userAgent = scratch.text(event.member("userAgent"))
        draft.recipientAccountId = scratch.text(event.member("recipientAccountId")).or(draft.recipientAccountId)
        draft.flatResourceType = scratch.text(event.member("resourceType")).or(draft.flatResourceType)
        draft.flatResourceName = scratch.text(event.member("resourceName")).or(draft.flatResourceName)
        if let resources = event.member("referencedResources"), resources.kind == .object {
            draft.copiedResources = resources
        }
        if let parameters = event.member("requestParameters"), parameters.kind == .object {
            draft.requestParameters = parameters
        }
        return nil
    }
}
