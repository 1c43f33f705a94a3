// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Makes an ActionTrail event of an AWS CloudTrail record.
///
/// - Source: "CloudTrail record contents", docs.aws.amazon.com/awscloudtrail, event version 1.08 to 1.11.
enum CloudTrailAdapter {
    /// Fills `draft`, or says why the record cannot be one.
    static func fill(
        _ draft: inout EventDraft, _ scratch: inout ScratchPad, _ slots: borrowing RecordSlots,
        _ context: borrowing ContextTexts
    ) -> RejectionCode? {
        draft.eventName = scratch.text(slots[.eventName])
        if draft.eventName.isEmpty {
            let isCloudTrail =
                slots.present(.eventName) != nil || slots.present(.eventSource) != nil
                || slots.present(.eventID) != nil || slots.present(.awsRegion) != nil
            return isCloudTrail ? .missingEventName : .notCloudTrail
        }
        if let time = slots[.eventTime], !time.isEmptyString {
            draft.timeMilliseconds = ActionTrailRecord.time(time, scratch: &scratch)
            if draft.timeMilliseconds == nil { return .invalidEventTime }
        }
        draft.eventId = scratch.text(slots[.eventID])
        draft.eventSource = scratch.text(slots[.eventSource])
        draft.serviceName = service(of: draft.eventSource)
        draft.eventCategory = category(scratch.text(slots[.eventCategory]), slots[.managementEvent]?.bool)
        draft.eventType = type(scratch.text(slots[.eventType]))
        draft.isWrite = slots[.readOnly]?.bool.map { !$0 } ?? !ReadVerbs.isRead(draft.eventName)
        draft.acsRegion = scratch.text(slots[.awsRegion]).or(context.region)
        draft.isGlobal = globalServices.contains { draft.serviceName.equals($0) }
        draft.apiVersion = scratch.text(slots[.apiVersion])
        draft.requestId = scratch.text(slots[.requestID])
        draft.errorCode = scratch.text(slots[.errorCode])
        draft.errorMessage = scratch.text(slots[.errorMessage])
        draft.sourceIpAddress = scratch.text(slots[.sourceIPAddress])
        draft.userAgent = scratch.text(slots[.userAgent])
        draft.recipientAccountId = scratch.text(slots[.recipientAccountId]).or(context.accountId)
        if let parameters = slots[.requestParameters], parameters.kind == .object {
            draft.requestParameters = parameters
            CloudTrailResources.add(from: parameters, to: &draft, &scratch)
        }
        CloudTrailResources.add(listed: slots[.resources], to: &draft, &scratch)
        if let identity = slots[.userIdentity], identity.kind == .object {
            draft.identity = CloudTrailIdentity.identity(identity, &scratch)
        }
        return nil
    }

    private static let globalServices: [StaticString] = [
        "iam", "sts", "signin", "organizations", "cloudfront", "route53",
    ]

    private static func service(of source: Text) -> Text {
        let suffix: StaticString = ".amazonaws.com"
        return source.ends(with: suffix) ? source.part(0..<source.count - suffix.utf8CodeUnitCount) : source
    }

    /// ActionTrail knows three categories; CloudTrail's network activity events are nearest to data events.
    private static func category(_ said: Text, _ isManagement: Bool?) -> Text {
        if said.equals("Management") || said.equals("Data") || said.equals("Insight") { return said }
        return said.equals("NetworkActivity") || isManagement == false ? Text("Data") : Text("Management")
    }

    private static func type(_ said: Text) -> Text {
        if said.equals("AwsConsoleSignIn") { return Text("ConsoleSignin") }
        if said.equals("AwsConsoleAction") { return Text("ConsoleOperation") }
        if said.equals("AwsServiceEvent") { return Text("AliyunServiceEvent") }
        if said.equals("AwsCloudTrailInsight") { return Text("ActionTrailInsight") }
        return Text("ApiCall")
    }
}
