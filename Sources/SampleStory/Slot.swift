// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A place in an event that is filled anew each time the event is written.
package enum Slot: Int, CaseIterable, Sendable {
    // Set by the writer for every event.
    case requestId, time, region, address, agent, identity, tail, caller, mfa, account
    case since, expiry, epoch, epochBefore, milliseconds, date

    // Chosen among what the company owns.
    case instance, disk, group, vpc, vswitch, database, balancer, key, cluster, nodePool, bucket, project
    case logstore, domain, user, role, policy, image, instanceType, cidr, trail, table, acl, keyId, trusted, attribute,
        amount

    // Made up on the spot.
    case snapshot, token, code, port, page, record, part, duration, build, backup

    package var name: String { String(describing: self) }
    package var mark: String { "‹\(name)›" }
    package var index: Int { rawValue }

    package static func named(_ name: String) -> Slot? {
        allCases.first { $0.name == name }
    }

    /// How a slot of the last two groups gets its value.
    package var source: Source {
        switch self {
        case .requestId, .time, .region, .address, .agent, .identity, .tail, .caller, .mfa, .account,
            .since, .expiry, .epoch, .epochBefore, .milliseconds, .date:
            .writer
        case .instance, .disk, .group, .vpc, .vswitch, .database, .balancer, .key, .cluster, .nodePool, .bucket,
            .project, .logstore, .domain, .user, .role, .policy, .image, .instanceType, .cidr, .trail, .table, .acl,
            .keyId, .trusted, .attribute,
            .amount:
            .pool
        case .snapshot: .letters(prefix: "s-bp1", count: 17, .lowercase)
        case .token: .letters(prefix: "", count: 32, .hexadecimal)
        case .code: .letters(prefix: "", count: 8, .hexadecimal)
        case .port: .number(32768...60999)
        case .page: .number(1...4)
        case .record: .number(100_000_000_000...999_999_999_999)
        case .part: .number(1...99999)
        case .duration: .number(12...900)
        case .build: .number(2000...9999)
        case .backup: .number(100_000_000...999_999_999)
        }
    }

    package enum Source {
        case writer
        case pool
        case letters(prefix: String, count: Int, Alphabet)
        case number(ClosedRange<Int>)
    }
}
