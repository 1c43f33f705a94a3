// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a run found and did.
struct ProtectionReport {
    struct Row {
        var what: String
        var wanted: String
        /// nil if the run did not get that far.
        var before: String?
        /// As read from the service last.
        var now: String?
        var evidence: String
        var isInPlace = false
        /// Put right by this run.
        var wasChanged = false
    }

    var trail: String
    var bucket: String
    var days: Int
    var isDryRun: Bool
    var keyId: String?
    var rows: [Row] = []
    /// Why the run ended before its end.
    var error: String?

    var isComplete: Bool { error == nil && !rows.isEmpty && rows.allSatisfy(\.isInPlace) }
    var changes: Int { rows.lazy.filter(\.wasChanged).count }
    var left: [Row] { rows.filter { !$0.isInPlace } }

    mutating func note(_ finding: Finding, at index: Int) {
        rows[index].wasChanged = rows[index].wasChanged || (finding.isInPlace && !rows[index].isInPlace && rows[index].now != nil)
        rows[index].now = finding.text
        rows[index].isInPlace = finding.isInPlace
    }

    var fields: [String: Any] {
        var fields: [String: Any] = [
            "Trail": trail, "Bucket": bucket, "RetentionDays": days, "DryRun": isDryRun, "Protected": isComplete,
            "Changes": changes, "Left": left.map(\.what),
            "Safeguards": rows.map { row in
                [
                    "What": row.what, "Wanted": row.wanted, "Before": row.before ?? NSNull(), "Now": row.now ?? NSNull(),
                    "Evidence": row.evidence, "InPlace": row.isInPlace, "Changed": row.wasChanged,
                ] as [String: Any]
            },
        ]
        fields["KeyId"] = keyId
        fields["Error"] = error
        return fields
    }

    func print(_ form: OutputForm) throws {
        if form == .json { return try printJSON(fields) }
        Terminal.table(
            ["WHAT", "STATE BEFORE", isDryRun ? "WOULD BE" : "STATE NOW", "HOW IT IS KNOWN"],
            rows.filter { $0.before != nil }.map { row in
                let now = isDryRun ? row.isInPlace ? "the same" : row.wanted : row.now ?? "?"
                return [row.what, row.before ?? "", now, row.evidence]
            })
        Swift.print("")
        let beyond = rows.filter { $0.before == nil }.map(\.what)
        if !beyond.isEmpty { Swift.print("not looked at: \(beyond.joined(separator: ", "))") }
        if isDryRun {
            Swift.print(isComplete ? "everything is in place" : "nothing was changed: \(left.count) of \(rows.count) would be")
        } else if isComplete {
            Swift.print(
                changes == 0
                    ? "the trail \(trail) is protected: everything was in place, nothing was changed"
                    : "the trail \(trail) is protected: \(changes) of \(rows.count) put right, all read back from the service")
        }
    }
}
