// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The ActionTrail event that an adapter makes of a foreign record; see docs of ActionTrail's event format.
///
/// Texts are decoded and point into the record or the scratch pad; they are escaped again when written.
struct EventDraft {
    struct Resource {
        var type: Text
        var name: Text
    }

    struct Identity {
        var type = Text.none
        var principalId = Text.none
        var accountId = Text.none
        var userName = Text.none
        var accessKeyId = Text.none
        var mfaAuthenticated = Text.none
        var creationDate = Text.none
    }

    var eventId = Text.none
    var eventCategory = Text("Management")
    var eventName = Text.none
    var isWrite = true
    var eventType = Text("ApiCall")
    var eventSource = Text.none
    /// Nil: the time of receipt.
    var timeMilliseconds: Int64?
    /// Set from `timeMilliseconds` before writing.
    var eventTime = Text.none
    var acsRegion = Text.none
    var isGlobal = false
    var serviceName = Text.none
    var apiVersion = Text.none
    var requestId = Text.none
    var errorCode = Text.none
    var errorMessage = Text.none
    var sourceIpAddress = Text.none
    var userAgent = Text.none
    var recipientAccountId = Text.none
    var identity = Identity()
    var impersonatedUser = Text.none

    /// An object to copy as it is; else `parameters` make one.
    var requestParameters: JSONValue?
    private(set) var parameters: [(name: StaticString, value: Text)] = []
    private(set) var resources: [Resource] = []
    /// Stands for the flat `resourceType` and `resourceName` that `resources` would give.
    var flatResourceType = Text.none
    var flatResourceName = Text.none
    /// Objects to copy instead of the ones made here.
    var copiedResources: JSONValue?
    var copiedIdentity: JSONValue?

    /// More resources than this are not listed; the source record has them all.
    private static let maximumResources = 128

    /// Empties the draft and keeps its memory.
    mutating func reset() {
        var lists = (parameters, resources)
        lists.0.removeAll(keepingCapacity: true)
        lists.1.removeAll(keepingCapacity: true)
        parameters = []
        resources = []
        self = EventDraft()
        (parameters, resources) = lists
    }

    mutating func addParameter(_ name: StaticString, _ value: Text) {
        if !value.isEmpty { parameters.append((name, value)) }
    }

    mutating func addResource(_ type: Text, _ name: Text) {
        guard !name.isEmpty, !type.isEmpty, resources.count < Self.maximumResources else { return }
        for other in resources where other.type.equals(type) && other.name.equals(name) { return }
        resources.append(Resource(type: type, name: name))
    }

    mutating func addResource(_ type: StaticString, _ name: Text) {
        addResource(Text(type), name)
    }
}

extension Text {
    static var none: Text { Text(start: nil, count: 0) }

    /// Itself, or `other` if there is nothing.
    func or(_ other: @autoclosure () -> Text) -> Text { isEmpty ? other() : self }
}
