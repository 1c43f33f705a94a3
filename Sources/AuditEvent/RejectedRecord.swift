// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Why a record was not accepted; the raw value is what the producer is told.
public enum RejectionCode: String, CaseIterable, Sendable {
    case invalidJSON = "InvalidJSON"
    case notAnObject = "NotAnObject"
    case eventTooLarge = "EventTooLarge"
    case nestingTooDeep = "NestingTooDeep"
    case missingEventName = "MissingEventName"
    case invalidEventId = "InvalidEventId"
    case invalidEventTime = "InvalidEventTime"
    case duplicateKey = "DuplicateKey"
    case unrecognizedFormat = "UnrecognizedFormat"
    case notCloudTrail = "NotCloudTrail"
    case notKubernetesAudit = "NotKubernetesAudit"
    case notCloudEvent = "NotCloudEvent"
    case missingId = "MissingId"
    case missingSource = "MissingSource"
    case missingType = "MissingType"
    /// Stands for several records: only so many of a body are judged one by one.
    case tooManyBadRecords = "TooManyBadRecords"
}

/// A record that was not accepted.
///
/// Holds numbers only: a body of nothing but bad lines must not cost more than one of good ones.
public struct RejectedRecord: Sendable {
    /// The 1-based line the record began on, or its number in an array.
    public var line: Int
    public var rejection: RejectionCode
    /// The raw record in `ParsedBatch.rejectedArena`, at most its first 64 KiB.
    public var range: Range<Int>
    /// How many records this stands for; 1 but for `tooManyBadRecords`, whose bytes are joined by newlines.
    public internal(set) var count = 1
    var detail: Detail

    /// What the message names besides the code.
    enum Detail {
        case none
        case json(JSONFailure.Reason, offset: UInt32)
        case key(RecordKey)
        case identityKey(IdentityKey)
    }

    public var code: String { rejection.rawValue }

    public var message: String {
        switch (rejection, detail) {
        case (_, .json(let reason, let offset)):
            "\(reason.description) at byte \(offset) of the record"
        case (_, .key(let key)):
            "the key \"\(key)\" occurs twice"
        case (_, .identityKey(let key)):
            "the key \"\(key)\" occurs twice in userIdentity"
        case (.tooManyBadRecords, _):
            "\(count) bad records from here on; a request names its first \(EventParser.namedRejections) one by one"
        case (.invalidJSON, _):
            "the record is not JSON"
        case (.notAnObject, _):
            "an event is a JSON object"
        case (.eventTooLarge, _):
            "an event is at most \(EventParser.maximumEventBytes) bytes without white space"
        case (.nestingTooDeep, _):
            "values are nested more than \(EventParser.maximumDepth) deep"
        case (.missingEventName, _):
            "eventName is missing, empty or not a string"
        case (.invalidEventId, _):
            "eventId is not a string"
        case (.invalidEventTime, _):
            "the event's time is not a date and time, nor seconds or milliseconds since 1970"
        case (.duplicateKey, _):
            "a key occurs twice"
        case (.unrecognizedFormat, _):
            """
            the record fits none of cloudevents (no specversion), kubernetes (no audit Event), cloudtrail \
            (no awsRegion, eventID or amazonaws.com source), actiontrail (no eventName)
            """
        case (.notCloudTrail, _):
            "the record has none of a CloudTrail event's keys eventName, eventSource, eventID, awsRegion"
        case (.notKubernetesAudit, _):
            "the record is not an audit.k8s.io Event"
        case (.notCloudEvent, _):
            "the record is not a CloudEvent: specversion, id, source and type are missing"
        case (.missingId, _):
            "the CloudEvent's id is missing, empty or not a string"
        case (.missingSource, _):
            "the CloudEvent's source is missing, empty or not a string"
        case (.missingType, _):
            "the CloudEvent's type is missing, empty or not a string"
        }
    }
}
