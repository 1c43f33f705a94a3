// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The part of the story that is the same for every size: the forgotten password, the leaked key, the clean-up.
package struct Plot: Sendable {
    package struct Moment: Sendable {
        var time: Int64
        var operation: String
        var persona: String
        var outcome: Outcome
        var address: Int
        var requestId: String
        var fills: [(slot: Slot, value: String)]
    }

    private(set) var moments: [Moment] = []
    /// Which moment gives the intruder full power, and which one gives the pipeline its new key.
    private(set) var decisive = 0
    private(set) var rotation = 0
    package let intrusionStart: Int64
    private(set) var intrusionEnd: Int64 = 0
    package let discoveryStart: Int64

    private var now: Int64 = 0
    private var generator: SplitMix64

    package init(seed: UInt64, company: Company, end: Int64) {
        generator = SplitMix64(seed: seed, stream: 5)
        // Late in the evening of the week's sixth day, and the next morning.
        let latest = end - Calendar.day - Calendar.hour
        var evening = Calendar.officeDay(latest)
        if Calendar.time(officeDay: evening, hour: 22, minute: 47) > latest {
            evening -= 1
        }
        intrusionStart = Calendar.time(officeDay: evening, hour: 22, minute: 47) + Int64(generator.next(below: 60))
        discoveryStart = Calendar.time(officeDay: evening + 1, hour: 9, minute: 8)

        now = Calendar.time(officeDay: evening - 3, hour: 10, minute: 15)
        add("AasSub.ConsoleSignin", by: Persona.root, wait: 0)
        add("BssOpenApi.QueryAccountBalance", by: Persona.root, wait: 40)
        add("AasSub.ConsoleSignout", by: Persona.root, wait: 95)

        now = Calendar.time(officeDay: evening - 2, hour: 8, minute: 52)
        for _ in 0..<6 {
            add(
                "AasSub.ConsoleSignin", by: Company.forgetfulPerson, wait: 31, outcome: .wrongPassword,
                address: Plot.homeAddress)
        }
        add("AasSub.ConsoleSignin", by: Company.forgetfulPerson, wait: 140, address: Plot.homeAddress)

        now = intrusionStart
        lookAround(company)
        takePower(company)
        takeData()
        spendMoney(company)
        coverTracks(company)
        intrusionEnd = now

        now = discoveryStart
        findOut(company)
        stopIntruder(company)
        repair(company)
    }

    /// People work from home at the third of their addresses.
    package static let homeAddress = 2

    package mutating func add(
        _ operation: String, by persona: String, wait: Int64, outcome: Outcome = .success, address: Int = 0,
        _ fills: KeyValuePairs<Slot, String> = [:]
    ) {
        now += wait
        moments.append(
            Moment(
                time: now, operation: operation, persona: persona, outcome: outcome, address: address,
                requestId: generator.uuid(), fills: fills.map { ($0.key, $0.value) }))
    }

    package mutating func markDecisive() {
        decisive = moments.count - 1
    }

    package mutating func markRotation() {
        rotation = moments.count - 1
    }
}
