// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AuditEvent
import Foundation
import SampleStory

struct Sample: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a made-up story of events: a company's week, a leaked key, what an intruder did with it.",
        discussion: "The same seed, number and end give the same events. Nothing in it is real.")

    @Option(name: [.customShort("n"), .long], help: "Number of events, at least \(SampleStory.minimumEventCount).") var events =
        2000
    @Option(help: "Seed.") var seed: UInt64 = 1
    @Option(help: "End of the week, as 2026-01-31T08:00:00Z; default now.") var end: String?
    @Option(help: "Account id.") var account = "1000000000000001"
    @Option(help: "Region id.") var region = "local-1"
    @Flag(help: "Print the names that the story turns on, as shell variables, instead of the events.") var cast = false

    func run() throws {
        guard !account.isEmpty, account.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw Failure.usage("--account is digits")
        }
        guard !region.isEmpty, region.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D })
        else {
            throw Failure.usage("--region is lower-case letters, digits and -")
        }
        var seconds = Int64(Date().timeIntervalSince1970)
        if let end {
            guard let time = EventTime.milliseconds(end) else {
                throw Failure.usage("`\(end)` is not a time such as 2026-01-31T08:00:00Z")
            }
            seconds = time / 1000
        }
        let story = SampleStory(seed: seed, eventCount: events, end: seconds, accountId: account, region: region)
        if cast { return print(story.cast) }
        var failed = false
        story.writeLines { chunk in
            var rest = chunk
            while !failed, let base = rest.baseAddress, rest.count > 0 {
                let written = write(STDOUT_FILENO, base, rest.count)
                if written <= 0 { failed = true } else { rest = UnsafeRawBufferPointer(rebasing: rest[written...]) }
            }
        }
    }

    private func print(_ cast: Cast) {
        func line(_ name: String, _ value: String) { Swift.print("\(name)='\(value)'") }
        line("LEAKED_KEY", cast.leakedAccessKeyId)
        line("LEAKED_KEY_OWNER", cast.leakedKeyOwner)
        line("INTRUDER_ADDRESS", cast.intruderAddresses.first ?? "")
        line("INTRUDER_USER", cast.intruderUser)
        line("INTRUDER_KEY", cast.intruderAccessKeyId)
        line("BUCKET", cast.bucket)
        line("TRAIL", cast.trail)
        line("SECURITY_PERSON", cast.securityPerson)
        line("FAILED_SIGN_IN_USER", cast.failedSignInUser)
        line("DECISIVE_EVENT_ID", cast.decisiveEventId)
    }
}
