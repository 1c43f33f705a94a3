// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The everyday events in time order, exactly as many as planned.
package struct NormalWeek: Sendable {
    private struct Habit {
        var routine: Routine
        var personas: [Int]
        var opening: [Int]
        var bag: [Int]
        var bagWeights: [Int]
        var bagWeightSum: Int
        var closing: [Int]
    }

    private let habits: [Habit]
    private let kinds: [Operation.Kind]
    private let signIn: Int
    private let planned: Int
    private let end: Int64
    private var started = 0
    private var episodeCount = 0
    private var week: WorkingWeek
    private var heap = EpisodeHeap()
    private var generator: SplitMix64
    private var upcoming: Episode?

    package init(seed: UInt64, planned: Int, end: Int64, catalog: Catalog) {
        let personas = Dictionary(uniqueKeysWithValues: zip(Persona.all.map(\.name), 0...))
        habits = Routine.week.map { routine in
            Habit(
                routine: routine, personas: routine.personas.map { personas[$0]! },
                opening: routine.opening.map(catalog.index), bag: routine.bag.map { catalog.index(of: $0.key) },
                bagWeights: routine.bag.map(\.value), bagWeightSum: routine.bag.map(\.value).reduce(0, +),
                closing: routine.closing.map(catalog.index))
        }
        kinds = catalog.operations.map(\.kind)
        signIn = catalog.index(of: "AasSub.ConsoleSignin")
        self.planned = planned
        self.end = end
        week = WorkingWeek(end: end, eventCount: planned)
        generator = SplitMix64(seed: seed, stream: 2)
        upcoming = makeEpisode()
    }

    /// The time of the next event, nil when the week is told.
    package var nextTime: Int64? {
        switch (heap.first?.next, upcoming?.next) {
        case (let running?, let starting?): min(running, starting)
        case (let running, let starting): running ?? starting
        }
    }

    package mutating func next() -> Beat? {
        while let starting = upcoming, heap.first.map({ starting.next <= $0.next }) ?? true {
            heap.insert(starting)
            upcoming = makeEpisode()
        }
        guard var episode = heap.first else { return nil }
        let beat = step(&episode)
        heap.replaceFirst(with: episode.rest > 0 ? episode : nil)
        return beat
    }

    private mutating func makeEpisode() -> Episode? {
        guard started < planned else { return nil }
        let begin = week.moment(after: started, of: planned)
        let number = week.routine(using: &generator)
        let habit = habits[number]
        let persona = habit.personas[generator.next(below: habit.personas.count)]
        let length =
            habit.opening.count + generator.next(in: habit.routine.bagDraws) + habit.closing.count
        let rest = min(length, planned - started)
        started += rest
        episodeCount += 1
        return Episode(
            routine: number, persona: persona,
            address: generator.next(below: Persona.all[persona].addresses.count),
            agent: generator.next(below: Persona.all[persona].agents.count), rest: rest, next: begin,
            number: episodeCount)
    }

    private mutating func step(_ episode: inout Episode) -> Beat {
        let habit = habits[episode.routine]
        let operation: Int
        if episode.done < habit.opening.count {
            operation = habit.opening[episode.done]
        } else if episode.rest <= habit.closing.count {
            operation = habit.closing[habit.closing.count - episode.rest]
        } else {
            operation = pick(from: habit)
        }
        let outcome = outcome(of: operation, in: &episode, habit: habit.routine)
        let beat = Beat(
            time: min(episode.next, end), operation: operation, persona: episode.persona, outcome: outcome,
            address: episode.address, agent: episode.agent, detail: .routine(episode.routine))
        episode.rest -= 1
        if outcome != .wrongPassword {
            episode.done += 1
        }
        episode.next += Int64(generator.next(in: habit.routine.secondsBetween))
        return beat
    }

    private mutating func pick(from habit: Habit) -> Int {
        var rest = generator.next(below: habit.bagWeightSum)
        for (operation, weight) in zip(habit.bag, habit.bagWeights) {
            if rest < weight { return operation }
            rest -= weight
        }
        preconditionFailure("the weights of a bag add up to their sum")
    }

    private mutating func outcome(of operation: Int, in episode: inout Episode, habit: Routine) -> Outcome {
        let roll = generator.next(below: 1000)
        if operation == signIn {
            guard roll < 120, !episode.hasMistypedPassword else { return .success }
            episode.hasMistypedPassword = true
            return .wrongPassword
        }
        guard kinds[operation] == .apiCall else { return .success }
        if roll < habit.deniedPerMille { return .noPermission }
        return roll < habit.deniedPerMille + habit.throttledPerMille ? .throttled : .success
    }
}
