// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A place in an event of the traffic that is filled anew each time.
package enum TrafficSlot: Int, CaseIterable, Sendable {
    /// Of every event.
    case region, requestId, time, account, resource, action, session
    /// Drawn for the events that have them.
    case vswitch, group, port, page, token, name, cidr, size

    package var mark: String { "‹\(self)›" }

    package static func number(_ name: String) -> Int? { numbers[name] }

    private static let numbers = Dictionary(uniqueKeysWithValues: allCases.map { ("\($0)", $0.rawValue) })
}
