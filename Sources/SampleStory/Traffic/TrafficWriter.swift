// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Writes the events of the traffic, one after the other, by copying ready-made bytes.
struct TrafficWriter {
    private struct Form {
        var head: Template
        var tail: Template
        /// Which slots the event has that are drawn anew for it.
        var drawn: [Int]
    }

    private struct Caller {
        var identity: Template
        var account: Extent
        var addresses: [Extent]
        var agents: [Extent]
        var isInside: Bool
        var hasSession: Bool
    }

    /// How a slot gets its bytes that only some events have.
    private enum Source {
        case draw(Draw)
        /// The first ones more often.
        case pool([Extent])
    }

    private(set) var output: [UInt8] = []
    private let arena: Arena
    private var extents = [Extent](repeating: .empty, count: TrafficSlot.allCases.count)
    /// ``TrafficOperation/forms`` of each operation.
    private let forms: [Form]
    private let actions: [Extent]
    private let resources: [[Extent]]
    private let operationDraw: Zipf
    private let callers: [Caller]
    private let callerDraw: Zipf
    private let errors: [Template]
    private let errorDraw: Zipf
    private let regions: [Extent]
    private let regionDraw: Zipf
    private let addresses: [Extent]
    private let addressDraw: Zipf
    private let sources: [Source?]
    private let parts: (address: Extent, agent: Extent, identity: Extent, end: Extent)
    private let letters = Alphabet.mixed.letters
    private var clock: TrafficClock
    private var generator: SplitMix64

    init(seed: UInt64, start: Int64) {
        var maker = SplitMix64(seed: seed, stream: 1)
        generator = SplitMix64(seed: seed, stream: 2)
        clock = TrafficClock(start: start)
        let world = TrafficWorld(using: &maker)
        var arena: [UInt8] = []
        func template(_ text: String) -> Template { Template(text, into: &arena, slot: TrafficSlot.number) }
        func store(_ texts: [String]) -> [Extent] { texts.map { arena.store($0) } }

        var sources = [Source?](repeating: nil, count: TrafficSlot.allCases.count)
        let names = store(world.names)
        sources[TrafficSlot.name.rawValue] = .pool(names)
        sources[TrafficSlot.vswitch.rawValue] = .pool(store(world.vswitches))
        sources[TrafficSlot.group.rawValue] = .pool(store(world.groups))
        sources[TrafficSlot.cidr.rawValue] = .pool(store(world.cidrs))
        sources[TrafficSlot.size.rawValue] = .draw(.pool(store(["20", "40", "60", "80", "100", "120"])))
        sources[TrafficSlot.page.rawValue] = .draw(.pool(store(["1", "2", "3"])))
        sources[TrafficSlot.port.rawValue] = .draw(.number(arena.reserve(Draw.longestNumber), 1024...65023))
        sources[TrafficSlot.token.rawValue] = .draw(.letters(arena.reserve(24), prefixCount: 0, Alphabet.hexadecimal.letters))
        self.sources = sources

        let pools = world.resources.mapValues { store($0) }
        var forms: [Form] = []
        var actions: [Extent] = []
        var resources: [[Extent]] = []
        var weights: [Double] = []
        func add(_ texts: [TrafficForm], action: String, resources pool: [Extent], weight: Double) {
            for text in texts {
                let (head, tail) = (template(text.head), template(text.tail))
                let drawn = sources.indices.filter { sources[$0] != nil && (head.slots + tail.slots).contains($0) }
                forms.append(Form(head: head, tail: tail, drawn: drawn))
            }
            actions.append(arena.store(action))
            resources.append(pool)
            weights.append(weight)
        }
        for operation in TrafficOperation.all(using: &maker) {
            add(
                (0..<TrafficOperation.forms).map { _ in TrafficForm(of: operation, using: &maker) },
                action: "\(operation.service.product.lowercased()):\(operation.name)",
                resources: pools[operation.service.prefix] ?? names, weight: operation.weight)
        }
        let all = weights.reduce(0, +)
        for (name, share) in [("ConsoleSignin", 0.012), ("ConsoleSignout", 0.003)] {
            add(
                [true, false, false].map { TrafficForm(signIn: name, usesMFA: $0) }, action: "signin:\(name)", resources: names,
                weight: share * all)
        }
        (self.forms, self.actions, self.resources) = (forms, actions, resources)
        operationDraw = Zipf(weights: weights)
        callers = world.callers.map { caller in
            let identity = template(caller.identity)
            return Caller(
                identity: identity, account: arena.store(caller.account), addresses: store(caller.addresses),
                agents: store(caller.agents), isInside: caller.isInside,
                hasSession: identity.slots.contains(TrafficSlot.session.rawValue))
        }
        callerDraw = Zipf(callers.count, exponent: TrafficWorld.callerExponent)
        errors = TrafficErrors.texts.map(template)
        errorDraw = Zipf(errors.count, exponent: TrafficErrors.exponent)
        regions = store(TrafficWorld.regions)
        regionDraw = Zipf(regions.count, exponent: TrafficWorld.regionExponent)
        addresses = store(world.addresses)
        addressDraw = Zipf(addresses.count, exponent: TrafficWorld.addressExponent)
        extents[TrafficSlot.time.rawValue] = arena.reserve(Calendar.stampLength)
        extents[TrafficSlot.requestId.rawValue] = arena.reserve(uuidLength)
        extents[TrafficSlot.session.rawValue] = arena.reserve(6)
        parts = (
            arena.store("\"sourceIpAddress\":\""), arena.store("\",\"userAgent\":\""), arena.store("\",\"userIdentity\":"),
            arena.store("}\n")
        )
        self.arena = Arena(arena)
    }

    mutating func clearOutput() { output.removeAll(keepingCapacity: true) }

    mutating func writeEvent() {
        let operation = operationDraw.next(using: &generator)
        let form = forms[operation * TrafficOperation.forms + generator.next(below: TrafficOperation.forms)]
        let caller = callers[callerDraw.next(using: &generator)]
        let time = clock.next(using: &generator)
        Calendar.writeStamp(time, into: arena.bytes + extents[TrafficSlot.time.rawValue].start)
        generator.writeUUID(into: arena.bytes + extents[TrafficSlot.requestId.rawValue].start)
        extents[TrafficSlot.region.rawValue] = regions[regionDraw.next(using: &generator)]
        extents[TrafficSlot.account.rawValue] = caller.account
        extents[TrafficSlot.action.rawValue] = actions[operation]
        let part = part()
        let pool = resources[operation]
        extents[TrafficSlot.resource.rawValue] = pool[Int(part * part * part * Double(pool.count))]
        for slot in form.drawn {
            switch sources[slot] {
            case .draw(let draw): extents[slot] = draw.fill(arena.bytes, time: time, using: &generator)
            case .pool(let values):
                let part = self.part()
                extents[slot] = values[Int(part * part * Double(values.count))]
            case nil: break
            }
        }
        // One call in sixteen comes from elsewhere.
        let place = generator.next(below: 16)
        let address =
            caller.isInside || place > 0
            ? caller.addresses[place % caller.addresses.count] : addresses[addressDraw.next(using: &generator)]
        if caller.hasSession { writeSession(time: time, mark: address.count) }
        put(form.head)
        if generator.chance(perMille: TrafficErrors.perMille) { put(errors[errorDraw.next(using: &generator)]) }
        put(form.tail)
        put(parts.address)
        put(address)
        put(parts.agent)
        put(caller.agents[place % caller.agents.count])
        put(parts.identity)
        put(caller.identity)
        put(parts.end)
    }

    /// From 0 to 1, without 1.
    private mutating func part() -> Double { Double(generator.next() >> 11) * 0x1p-53 }

    /// A session lasts for an hour.
    private mutating func writeSession(time: Int64, mark: Int) {
        let session = arena.bytes + extents[TrafficSlot.session.rawValue].start
        var hour = UInt64(bitPattern: time / Calendar.hour)
        for place in 0..<5 {
            session[place] = letters[Int(hour & 15)]
            hour >>= 4
        }
        session[5] = letters[mark % letters.count]
    }

    @inline(__always)
    private mutating func put(_ extent: Extent) { output.append(contentsOf: arena.contents(of: extent)) }

    private mutating func put(_ template: Template) {
        for piece in template.pieces {
            switch piece {
            case .constant(let extent): put(extent)
            case .slot(let slot): put(extents[slot])
            }
        }
    }
}
