// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Makes an ActionTrail event of a Kubernetes audit record.
///
/// - Source: `audit.k8s.io` v1 Event, and v1beta1 and v1alpha1 as far as they name things alike; kubernetes.io,
///   "kube-apiserver Audit Configuration".
enum KubernetesAdapter {
    /// Fills `draft`, or says why the record cannot be one.
    static func fill(
        _ draft: inout EventDraft, _ scratch: inout ScratchPad, _ slots: borrowing RecordSlots,
        _ context: borrowing ContextTexts
    ) -> RejectionCode? {
        // The items of an EventList have no kind of their own.
        let kind = scratch.text(slots[.kind])
        let version = scratch.text(slots[.apiVersion])
        let isAudit = version.starts(with: "audit.k8s.io/")
        guard kind.isEmpty || kind.equals("Event"), version.isEmpty || isAudit,
            isAudit || slots[.verb] != nil || slots[.auditID] != nil || slots[.stage] != nil
                || slots[.objectRef] != nil || slots[.requestURI] != nil
        else { return .notKubernetesAudit }

        let time =
            slots[.stageTimestamp] ?? slots[.requestReceivedTimestamp] ?? slots[.timestamp]
            ?? slots[.metadata]?.member("creationTimestamp")
        if let time, !time.isEmptyString {
            draft.timeMilliseconds = ActionTrailRecord.time(time, scratch: &scratch)
            if draft.timeMilliseconds == nil { return .invalidEventTime }
        }
        draft.requestId = scratch.text(slots[.auditID])
        draft.eventId = eventId(draft.requestId, stage: scratch.text(slots[.stage]), &scratch)
        draft.eventName = scratch.text(slots[.verb]).or(Text("unspecified"))
        draft.isWrite = !ReadVerbs.isRead(draft.eventName)
        draft.serviceName = Text("Kubernetes")
        draft.eventSource = scratch.text(slots[.annotations]?.member("cluster"))
            .or(scratch.text(slots[.cluster])).or(Text("kubernetes"))
        draft.acsRegion = context.region
        draft.recipientAccountId = context.accountId
        draft.sourceIpAddress = scratch.text(slots[.sourceIPs]?.firstElement)
        draft.userAgent = scratch.text(slots[.userAgent])
        draft.addParameter("requestURI", scratch.text(slots[.requestURI]))
        fillObject(&draft, &scratch, slots[.objectRef])
        fillStatus(&draft, &scratch, slots[.responseStatus])
        fillUser(&draft, &scratch, slots[.user])
        draft.impersonatedUser = scratch.text(slots[.impersonatedUser]?.member("username"))
        return nil
    }

    /// The same `auditID` occurs once for each stage of a request; the one that ends it carries the plain id.
    private static func eventId(_ auditID: Text, stage: Text, _ scratch: inout ScratchPad) -> Text {
        if auditID.isEmpty || stage.isEmpty || stage.equals("ResponseComplete") || stage.equals("Panic") {
            return auditID
        }
        return scratch.join(auditID, "/", stage)
    }

    /// `resourceName` is `<namespace>/<name>`, `referencedResources` has the bare name: it is found by either.
    private static func fillObject(_ draft: inout EventDraft, _ scratch: inout ScratchPad, _ object: JSONValue?) {
        guard let object, object.kind == .object else { return }
        let resource = scratch.text(object.member("resource"))
        let subresource = scratch.text(object.member("subresource"))
        let namespace = scratch.text(object.member("namespace"))
        let name = scratch.text(object.member("name"))
        draft.apiVersion = scratch.text(object.member("apiVersion"))
        draft.addParameter("namespace", namespace)
        draft.addParameter("resource", resource)
        draft.addParameter("name", name)
        draft.addParameter("apiGroup", scratch.text(object.member("apiGroup")))
        draft.addParameter("apiVersion", draft.apiVersion)
        draft.addParameter("subresource", subresource)
        guard !resource.isEmpty else { return }
        let path = subresource.isEmpty ? resource : scratch.join(resource, "/", subresource)
        draft.flatResourceType = scratch.join(Text("Kubernetes"), "::", path)
        guard !name.isEmpty else { return }
        draft.flatResourceName = namespace.isEmpty ? name : scratch.join(namespace, "/", name)
        draft.addResource(draft.flatResourceType, name)
    }

    private static func fillStatus(_ draft: inout EventDraft, _ scratch: inout ScratchPad, _ status: JSONValue?) {
        guard let code = status?.member("code"), code.kind == .number, code.content.count == 3,
            code.content[0] >= UInt8(ascii: "4")
        else { return }
        draft.errorCode = scratch.text(status?.member("reason")).or(code.content)
        draft.errorMessage = scratch.text(status?.member("message"))
    }

    private static func fillUser(_ draft: inout EventDraft, _ scratch: inout ScratchPad, _ user: JSONValue?) {
        guard let user, user.kind == .object else { return }
        let name = scratch.text(user.member("username"))
        guard !name.isEmpty else { return }
        draft.identity.type = Text(name.starts(with: "system:") ? "system" : "ram-user")
        draft.identity.userName = name
        draft.identity.principalId = scratch.text(user.member("uid")).or(name)
        draft.identity.accountId = draft.recipientAccountId
        // Amazon EKS tells the caller's access key here.
        draft.identity.accessKeyId = scratch.text(user.member("extra")?.member("accessKeyId")?.firstElement)
    }
}
