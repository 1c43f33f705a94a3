// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What an event can be looked up by.
///
/// The raw values are stored on disk: a number is never given another meaning.
public enum LookupAttribute: UInt8, CaseIterable, Sendable {
    case eventId = 1
    case eventName = 2
    case serviceName = 3
    case user = 4
    case resourceType = 5
    case resourceName = 6
    case eventRW = 7
    case accessKeyId = 8
    case eventType = 9
    case sourceIpAddress = 10
    case roleName = 11
    case principalId = 12
    case sensitiveAction = 13
    case errorCode = 14

    /// The key of LookupEvents' `LookupAttribute.N.Key`.
    public var wireName: String {
        switch self {
        case .eventId: "EventId"
        case .eventName: "EventName"
        case .serviceName: "ServiceName"
        case .user: "User"
        case .resourceType: "ResourceType"
        case .resourceName: "ResourceName"
        case .eventRW: "EventRW"
        case .accessKeyId: "EventAccessKeyId"
        case .eventType: "EventType"
        case .sourceIpAddress: "SourceIpAddress"
        case .roleName: "RoleName"
        case .principalId: "PrincipalId"
        case .sensitiveAction: "SensitiveAction"
        case .errorCode: "ErrorCode"
        }
    }

    /// Whether an event can have several values.
    public var isRepeated: Bool { self == .resourceType || self == .resourceName }

    public init?(wireName: String) {
        guard let match = Self.allCases.first(where: { $0.wireName == wireName }) else { return nil }
        self = match
    }
}
