// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Takes out of an ActionTrail event what it can be found and filtered by.
struct FieldExtractor {
    var timeMilliseconds: Int64 = 0
    var isWrite = true
    var isGlobal = false
    var eventId = ByteSlice.empty
    var region = ByteSlice.empty
    var account = ByteSlice.empty

    /// Reads the record in `slots` and adds its terms to `collector`.
    init(
        _ slots: borrowing RecordSlots, identity: IdentitySlots, timeMilliseconds: Int64,
        into collector: inout TermCollector
    ) {
        self.timeMilliseconds = timeMilliseconds
        eventId = collector.slice(slots[.eventId] ?? slots[.eventID])
        region = collector.slice(slots[.acsRegion])
        account = collector.slice(slots[.recipientAccountId])
        isGlobal = slots[.isGlobal]?.bool ?? false
        let eventName = collector.slice(slots[.eventName])
        let serviceName = collector.slice(slots[.serviceName] ?? slots[.eventProduct])

        collector.add(.eventId, eventId)
        collector.add(.eventName, eventName)
        collector.add(.serviceName, serviceName)
        let user = collector.slice(identity.userName)
        collector.add(.user, user)
        addResources(slots, &collector)
        addReadOrWrite(collector.slice(slots[.eventRW]), eventName, &collector)
        collector.add(.accessKeyId, collector.slice(identity.accessKeyId))
        collector.add(.eventType, collector.slice(slots[.eventType]))
        collector.add(.sourceIpAddress, collector.slice(slots[.sourceIpAddress]))
        let identityType = collector.slice(identity.type)
        if collector.withBytes(identityType, { $0.equals("assumed-role") }) {
            let length = collector.withBytes(user) { $0.before(":").count }
            collector.add(.roleName, ByteSlice(offset: Int(user.offset), count: length, isSide: user.isSide))
        }
        collector.add(.principalId, collector.slice(identity.principalId))
        collector.add(.errorCode, collector.slice(slots[.errorCode]))
        if isSensitive(slots, eventName, serviceName, identityType, &collector) {
            collector.add(.sensitiveAction, TermCollector.trueWord)
        }
    }

    @inline(__always)
    private func addResources(_ slots: borrowing RecordSlots, _ collector: inout TermCollector) {
        collector.beginResources()
        if let types = slots[.referencedResources], types.kind == .object {
            let end = Int(types.node.next)
            var child = types.index + 1
            while child < end {
                let value = types.at(child + 1)
                collector.addResource(.resourceType, collector.slice(types.at(child)))
                if value.kind == .array {
                    value.forEachElement { collector.addResource(.resourceName, collector.slice($0)) }
                } else {
                    collector.addResource(.resourceName, collector.slice(value))
                }
                child = Int(value.node.next)
            }
        }
        let semicolon = UInt8(ascii: ";")
        collector.addResources(
            .resourceType, collector.slice(slots[.resourceType]), separatedBy: semicolon, semicolon)
        collector.addResources(
            .resourceName, collector.slice(slots[.resourceName] ?? slots[.resourceID]), separatedBy: semicolon,
            UInt8(ascii: ","))
    }

    /// The term is one of the two words of the wire even if the event has neither, so that a lookup finds it.
    @inline(__always)
    private mutating func addReadOrWrite(_ field: ByteSlice, _ eventName: ByteSlice, _ collector: inout TermCollector) {
        if let said = collector.withBytes(field, { ReadVerbs.isWrite(eventRW: $0) }) {
            isWrite = said
        } else {
            isWrite = collector.withBytes(eventName) { !ReadVerbs.isRead($0) }
        }
        collector.add(.eventRW, isWrite ? TermCollector.writeWord : TermCollector.readWord)
    }

    @inline(__always)
    private func isSensitive(
        _ slots: borrowing RecordSlots, _ eventName: ByteSlice, _ serviceName: ByteSlice, _ identityType: ByteSlice,
        _ collector: inout TermCollector
    ) -> Bool {
        guard let rule = collector.withBytes(eventName, { SensitiveActions.rule(forName: $0) }) else { return false }
        let parameters = slots[.requestParameters]?.raw ?? Text(start: nil, count: 0)
        let resourceType = collector.slice(slots[.resourceType])
        return collector.withBytes(serviceName) { service in
            collector.withBytes(identityType) { identity in
                collector.withBytes(resourceType) { type in
                    rule.applies(
                        to: SensitiveActions.Occasion(
                            serviceName: service, identityType: identity, resourceType: type,
                            requestParameters: parameters))
                }
            }
        }
    }
}

/// The values of `userIdentity` that become terms.
struct IdentitySlots {
    private(set) var type: JSONValue?
    private(set) var userName: JSONValue?
    private(set) var accessKeyId: JSONValue?
    private(set) var principalId: JSONValue?
    private(set) var repeatedKey: IdentityKey?

    init(_ identity: JSONValue?, scratch: inout ScratchPad) {
        guard let identity, identity.kind == .object else { return }
        let table = IdentityKey.table
        var met: UInt16 = 0
        let end = Int(identity.node.next)
        var child = identity.index + 1
        while child < end {
            let key = identity.at(child)
            let value = identity.at(child + 1)
            child = Int(value.node.next)
            guard let slot = table.value(of: key.node.hasEscapes ? scratch.text(key) : key.content) else { continue }
            let known = IdentityKey(rawValue: UInt8(slot & (IdentityKey.capitalBit - 1)))!
            if met & 1 << UInt16(slot) != 0 { repeatedKey = known }
            met |= 1 << UInt16(slot)
            let isCapital = slot & IdentityKey.capitalBit != 0
            guard value.kind != .null else { continue }
            switch known {
            case .type: if !isCapital || type == nil { type = value }
            case .userName: if !isCapital || userName == nil { userName = value }
            case .accessKeyId: if !isCapital || accessKeyId == nil { accessKeyId = value }
            case .principalId: if !isCapital || principalId == nil { principalId = value }
            }
        }
    }
}
