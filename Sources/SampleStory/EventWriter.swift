// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Turns beats into lines of JSON by copying ready-made bytes.
package struct EventWriter {
    private struct Form {
        var template: Template
        var draws: [(slot: Int, draw: Draw)]
    }

    private typealias Fill = (slot: Int, extent: Extent)

    private(set) var output: [UInt8] = []
    private let arena: Arena
    private var extents = [Extent](repeating: .empty, count: Slot.allCases.count)
    private var forms: [Form] = []
    private var consoles: [Extent] = []
    private var identities: [Identity] = []
    private var routineFills: [[Fill]] = []
    private var momentFills: [[Fill]] = []
    private var momentIds: [Extent] = []
    private let signIn: Int
    private let signOut: Int
    private let rotation: (moment: Int, persona: Int, key: Extent)
    private let freshId: Extent
    private let time: Extent
    private let homeRegion: Extent
    private let noMFA: Extent
    private let alphabet = Alphabet.mixed.letters
    private var everyday: SplitMix64
    private var dramatic: SplitMix64

    package init(seed: UInt64, company: Company, catalog: Catalog, plot: Plot) {
        everyday = SplitMix64(seed: seed, stream: 3)
        dramatic = SplitMix64(seed: seed, stream: 4)
        var arena: [UInt8] = []
        freshId = arena.reserve(uuidLength)
        time = arena.reserve(Calendar.stampLength)
        homeRegion = arena.store(company.region)
        noMFA = arena.store("false")
        signIn = catalog.index(of: "AasSub.ConsoleSignin")
        signOut = catalog.index(of: "AasSub.ConsoleSignout")
        rotation = (
            plot.rotation, Persona.all.firstIndex { $0.name == Company.pipelineUser }!,
            arena.store(company.rotatedPipelineKey)
        )
        extents[Slot.account.index] = arena.store(company.account)
        extents[Slot.date.index] = Extent(start: time.start, count: 10)
        extents[Slot.time.index] = time

        var draws: [Int: Draw] = [:]
        for slot in Slot.allCases {
            draws[slot.index] = Draw(slot, pools: company.pools, arena: &arena)
        }
        for operation in catalog.operations {
            consoles.append(arena.store(operation.service.console))
            for outcome in Outcome.allCases {
                let template = Template(EventLayout.text(of: operation, outcome: outcome), into: &arena)
                let needed = template.slots.compactMap { slot in draws[slot].map { (slot, $0) } }
                forms.append(Form(template: template, draws: needed))
            }
        }
        identities = Persona.all.map { Identity($0, company: company, arena: &arena) }
        routineFills = Routine.week.map { routine in
            routine.fills.map { ($0.key.index, arena.store($0.value)) }
        }
        for moment in plot.moments {
            momentFills.append(moment.fills.map { ($0.slot.index, arena.store($0.value)) })
            momentIds.append(arena.store(moment.requestId))
        }
        self.arena = Arena(arena)
    }

    package mutating func clearOutput() {
        output.removeAll(keepingCapacity: true)
    }

    package mutating func write(_ beat: Beat) {
        switch beat.detail {
        case .routine(let number):
            var generator = everyday
            write(beat, id: nil, fills: routineFills[number], using: &generator)
            everyday = generator
        case .moment(let number):
            var generator = dramatic
            write(beat, id: momentIds[number], fills: momentFills[number], using: &generator)
            dramatic = generator
            if number == rotation.moment {
                // From here on the pipeline signs with its new key, as the security person arranged it.
                arena.copy(rotation.key, over: identities[rotation.persona].key)
            }
        }
    }

    private mutating func write(_ beat: Beat, id: Extent?, fills: [Fill], using generator: inout SplitMix64) {
        let form = beat.operation * Outcome.allCases.count + beat.outcome.rawValue
        let isSignIn = beat.operation == signIn
        Calendar.writeStamp(beat.time, into: arena.bytes + time.start)
        if id == nil {
            generator.writeUUID(into: arena.bytes + freshId.start)
        }
        identities[beat.persona].refreshSession(
            arena.bytes, time: beat.time, isSignIn: isSignIn && beat.outcome == .success, letters: alphabet,
            using: &generator)
        for (slot, draw) in forms[form].draws {
            extents[slot] = draw.fill(arena.bytes, time: beat.time, using: &generator)
        }
        let identity = identities[beat.persona]
        let hasFailedToSignIn = beat.outcome == .wrongPassword
        let isInsideConsole = identity.usesConsole && !isSignIn && beat.operation != signOut
        extents[Slot.requestId.index] = id ?? freshId
        extents[Slot.region.index] = homeRegion
        extents[Slot.address.index] = identity.addresses[beat.address]
        extents[Slot.agent.index] = isInsideConsole ? consoles[beat.operation] : identity.agents[beat.agent]
        extents[Slot.identity.index] = hasFailedToSignIn ? identity.withoutSession : identity.object
        extents[Slot.tail.index] = identity.tail
        extents[Slot.caller.index] = identity.name
        extents[Slot.mfa.index] = hasFailedToSignIn ? noMFA : identity.mfa
        for (slot, extent) in fills {
            extents[slot] = extent
        }
        for piece in forms[form].template.pieces {
            switch piece {
            case .constant(let extent): output.append(contentsOf: arena.contents(of: extent))
            case .slot(let slot): output.append(contentsOf: arena.contents(of: extents[slot]))
            }
        }
    }
}
