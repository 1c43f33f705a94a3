// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The top-level keys that are read in any format, spelled as on the wire.
enum RecordKey: UInt8, CaseIterable {
    // ActionTrail
    case eventId, eventTime, eventName, eventRW, eventType, acsRegion, isGlobal, serviceName, sourceIpAddress
    case userIdentity, referencedResources, resourceType, resourceName, recipientAccountId, requestParameters
    // ActionTrail's platform events ("Inner-ActionTrail")
    case eventProduct, resourceID, resourceRegionID, resourceOwnerID
    // CloudTrail
    case eventID, eventSource, eventVersion, awsRegion, sourceIPAddress, userAgent, errorCode, errorMessage
    case requestID, readOnly, resources, eventCategory, managementEvent, apiVersion
    // Kubernetes
    case kind, auditID, stage, verb, user, impersonatedUser, objectRef, sourceIPs, requestURI, responseStatus
    case stageTimestamp, requestReceivedTimestamp, timestamp, metadata, annotations, cluster
    // CloudEvents
    case specversion, id, source, type, subject, time, data, authtype, authid

    /// The keys that ActionTrail's services also send with a capital first letter.
    private static let capitalised: [RecordKey] = [
        .eventId, .eventID, .eventTime, .eventName, .eventRW, .eventType, .acsRegion, .isGlobal, .serviceName,
        .sourceIpAddress, .userIdentity, .referencedResources, .resourceType, .resourceName, .recipientAccountId,
        .requestParameters, .eventProduct, .resourceID, .resourceRegionID, .resourceOwnerID,
    ]

    static let capitalBit = 64

    /// Key to raw value, with `capitalBit` for a capitalised spelling.
    static let table = NameTable(
        allCases.map { ("\($0)", Int($0.rawValue)) }
            + capitalised.map { key in
                let name = "\(key)"
                return (name.prefix(1).uppercased() + name.dropFirst(), Int(key.rawValue) | capitalBit)
            })

    private static func mask(_ keys: [RecordKey]) -> UInt64 {
        keys.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
    }

    private static let actiontrail = mask(capitalised)
    private static let cloudtrail = mask([
        .eventID, .eventTime, .eventName, .eventType, .userIdentity, .requestParameters, .recipientAccountId,
        .eventSource, .eventVersion, .awsRegion, .sourceIPAddress, .userAgent, .errorCode, .errorMessage, .requestID,
        .readOnly, .resources, .eventCategory, .managementEvent, .apiVersion,
    ])
    private static let kubernetes = mask([
        .kind, .apiVersion, .auditID, .stage, .verb, .user, .impersonatedUser, .objectRef, .sourceIPs, .requestURI,
        .responseStatus, .stageTimestamp, .requestReceivedTimestamp, .timestamp, .metadata, .annotations, .userAgent,
        .cluster,
    ])
    private static let cloudevents = mask([
        .specversion, .id, .source, .type, .subject, .time, .data, .authtype, .authid,
    ])

    /// The keys that a record of this format may have only once.
    static func unique(in format: EventFormat) -> UInt64 {
        switch format {
        case .auto, .actiontrail: actiontrail
        case .cloudtrail: cloudtrail
        case .kubernetes: kubernetes
        case .cloudevents: cloudevents
        }
    }
}

/// The keys of `userIdentity` that become terms.
enum IdentityKey: UInt8, CaseIterable {
    case type, userName, accessKeyId, principalId

    static let capitalBit = 8

    static let table = NameTable(
        allCases.map { ("\($0)", Int($0.rawValue)) }
            + allCases.map { key in
                let name = "\(key)"
                return (name.prefix(1).uppercased() + name.dropFirst(), Int(key.rawValue) | capitalBit)
            })
}
