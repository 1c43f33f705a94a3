// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The schemas a producer may send; `auto` looks at each record.
public enum EventFormat: String, CaseIterable, Sendable {
    case auto, actiontrail, cloudtrail, kubernetes, cloudevents
}
