// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension EventDraft {
    /// Writes the event up to where its last member would follow; the object is not closed.
    func writeFields(_ writer: inout JSONWriter) {
        writer.literal("{\"eventId\":")
        writer.string(eventId)
        writer.literal(",\"eventVersion\":\"1\"")
        writer.member("eventCategory", eventCategory)
        writer.member("eventName", eventName)
        writer.literal(isWrite ? ",\"eventRW\":\"Write\"" : ",\"eventRW\":\"Read\"")
        writer.member("eventType", eventType)
        writer.member("eventSource", eventSource)
        writer.member("eventTime", eventTime)
        writer.key("acsRegion")
        writer.string(acsRegion)
        writer.literal(isGlobal ? ",\"isGlobal\":true" : ",\"isGlobal\":false")
        writer.member("serviceName", serviceName)
        writer.member("apiVersion", apiVersion)
        writer.member("requestId", requestId)
        writeParameters(&writer)
        writer.member("errorCode", errorCode)
        writer.member("errorMessage", errorMessage)
        writeResources(&writer)
        writer.member("sourceIpAddress", sourceIpAddress)
        writer.member("userAgent", userAgent)
        writeIdentity(&writer)
        writer.key("recipientAccountId")
        writer.string(recipientAccountId)
    }

    /// Writes the record itself as the event's last member and closes the event.
    func writeSource(_ writer: inout JSONWriter, _ format: EventFormat, record: UnsafeRawBufferPointer) {
        writer.key("additionalEventData")
        switch format {
        case .cloudtrail: writer.literal("{\"sourceFormat\":\"cloudtrail\"")
        case .kubernetes: writer.literal("{\"sourceFormat\":\"kubernetes\"")
        default: writer.literal("{\"sourceFormat\":\"cloudevents\"")
        }
        writer.member("impersonatedUser", impersonatedUser)
        writer.key("sourceRecord")
        writer.raw(record)
        writer.literal("}}")
    }

    private func writeParameters(_ writer: inout JSONWriter) {
        if let requestParameters {
            writer.key("requestParameters")
            writer.raw(requestParameters.raw)
            return
        }
        guard !parameters.isEmpty else { return }
        writer.key("requestParameters")
        var mark: Unicode.Scalar = "{"
        for (name, value) in parameters {
            writer.byte(mark)
            writer.string(Text(name))
            writer.byte(":")
            writer.string(value)
            mark = ","
        }
        writer.byte("}")
    }

    private func writeResources(_ writer: inout JSONWriter) {
        if flatResourceType.isEmpty, !resources.isEmpty {
            writer.key("resourceType")
            writer.byte("\"")
            writeGroups { type, isFirst in
                if !isFirst { writer.byte(";") }
                writer.escaped(type)
            } name: { _, _ in
            } end: {
            }
            writer.byte("\"")
        } else {
            writer.member("resourceType", flatResourceType)
        }
        if flatResourceName.isEmpty, !resources.isEmpty {
            writer.key("resourceName")
            writer.byte("\"")
            writeGroups { _, isFirst in
                if !isFirst { writer.byte(";") }
            } name: { name, isFirst in
                if !isFirst { writer.byte(",") }
                writer.escaped(name)
            } end: {
            }
            writer.byte("\"")
        } else {
            writer.member("resourceName", flatResourceName)
        }
        if let copiedResources {
            writer.key("referencedResources")
            writer.raw(copiedResources.raw)
        } else if !resources.isEmpty {
            writer.key("referencedResources")
            writeGroups { type, isFirst in
                writer.byte(isFirst ? "{" : ",")
                writer.string(type)
                writer.literal(":[")
            } name: { name, isFirst in
                if !isFirst { writer.byte(",") }
                writer.string(name)
            } end: {
                writer.byte("]")
            }
            writer.byte("}")
        }
    }

    /// Goes through the resources type by type, in the order in which the types were met first.
    private func writeGroups(
        _ begin: (_ type: Text, _ isFirst: Bool) -> Void, name: (_ name: Text, _ isFirst: Bool) -> Void,
        end: () -> Void
    ) {
        for (index, resource) in resources.enumerated() {
            if resources[..<index].contains(where: { $0.type.equals(resource.type) }) { continue }
            begin(resource.type, index == 0)
            var isFirst = true
            for other in resources[index...] where other.type.equals(resource.type) {
                name(other.name, isFirst)
                isFirst = false
            }
            end()
        }
    }

    private func writeIdentity(_ writer: inout JSONWriter) {
        if let copiedIdentity {
            writer.key("userIdentity")
            writer.raw(copiedIdentity.raw)
            return
        }
        guard !identity.type.isEmpty else { return }
        writer.key("userIdentity")
        writer.literal("{\"type\":")
        writer.string(identity.type)
        writer.member("principalId", identity.principalId)
        writer.member("accountId", identity.accountId)
        writer.member("userName", identity.userName)
        writer.member("accessKeyId", identity.accessKeyId)
        if !identity.mfaAuthenticated.isEmpty || !identity.creationDate.isEmpty {
            writer.literal(",\"sessionContext\":{\"attributes\":{\"mfaAuthenticated\":")
            writer.string(identity.mfaAuthenticated.or(Text("false")))
            writer.member("creationDate", identity.creationDate)
            writer.literal("}}")
        }
        writer.byte("}")
    }
}
