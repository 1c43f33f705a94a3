// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Looks at every safeguard, puts right what is wanting, in their order, and reads all of them back.
struct ProtectionRun {
    let site: ProtectionSite
    let safeguards: [any Safeguard]
    let isDryRun: Bool
    let consent: Consent

    /// - Parameter report: says how far it came, also when an error is thrown.
    /// - Returns: the sentence about what was left for want of consent; nil if nothing was.
    func run(_ report: inout ProtectionReport) async throws -> String? {
        report.rows = safeguards.map { .init(what: $0.what, wanted: $0.wanted, evidence: $0.evidence) }
        // All are looked at before anything is made: what only its owner can decide about ends the run here.
        for index in safeguards.indices {
            let before = try await look("looking at", index)
            report.rows[index].before = before.text
            report.note(before, at: index)
            report.keyId = site.key?.id
        }
        guard !isDryRun else { return nil }
        var refused: String?
        for (index, safeguard) in safeguards.enumerated() where !report.rows[index].isInPlace {
            // What was made meanwhile may have put this right too.
            let found = try await look("making", index)
            report.note(found, at: index)
            if found.isInPlace { continue }
            if let consequence = safeguard.consequence(site, found), !consent.ask(consequence, name: site.bucket) {
                refused = consequence
                continue
            }
            try await safeguard.establish(site, found)
            let now = try await look("making", index)
            report.note(now, at: index)
            report.keyId = site.key?.id
            guard now.isInPlace else { throw Failure.no("\(safeguard.what): it was set, but reads back as: \(now.text)") }
        }
        for index in safeguards.indices { report.note(try await look("reading back", index), at: index) }
        return refused
    }

    private func look(_ doing: String, _ index: Int) async throws -> Finding {
        Terminal.progress("\(doing) \(index + 1) of \(safeguards.count): \(safeguards[index].what)")
        return try await safeguards[index].inspect(site)
    }
}
