// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Tells a record's schema by its keys.
enum FormatDetection {
    /// The format, or `auto` if it is none that is known.
    @inline(__always)
    static func format(of slots: borrowing RecordSlots, scratch: inout ScratchPad) -> EventFormat {
        if slots.present(.specversion) != nil { return .cloudevents }
        if slots.present(.kind) != nil, isKubernetes(slots, &scratch) { return .kubernetes }
        if isCloudTrail(slots, &scratch) { return .cloudtrail }
        return slots.present(.eventName) != nil ? .actiontrail : .auto
    }

    static func isKubernetes(_ slots: borrowing RecordSlots, _ scratch: inout ScratchPad) -> Bool {
        guard scratch.text(slots[.kind]).equals("Event") else { return false }
        let version = scratch.text(slots[.apiVersion])
        guard version.isEmpty else { return version.starts(with: "audit.k8s.io/") }
        return slots[.auditID] != nil || slots[.stage] != nil || slots[.objectRef] != nil
            || (slots[.sourceIPs] != nil && slots[.user] != nil)
    }

    @inline(__always)
    private static func isCloudTrail(_ slots: borrowing RecordSlots, _ scratch: inout ScratchPad) -> Bool {
        if slots.present(.awsRegion) != nil { return true }
        if slots.spelled(.eventID) != nil, slots.present(.eventVersion) != nil { return true }
        return scratch.text(slots[.eventSource]).ends(with: "amazonaws.com")
    }
}
