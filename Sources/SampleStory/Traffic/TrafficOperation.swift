// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An operation of the traffic: how often it is called, and in which forms its events come.
package struct TrafficOperation: Sendable {
    package static let forms = 3

    package var service: TrafficService
    package var name: String
    package var noun: String
    package var writes: Bool
    package var weight: Double

    /// All operations. Within a service some are called much more often than others, and reading ones more than writing
    /// ones, as anywhere.
    package static func all(using generator: inout SplitMix64) -> [TrafficOperation] {
        var operations: [TrafficOperation] = []
        for (rank, service) in TrafficService.all.enumerated() {
            let share = 1 / Zipf.power(Double(rank + 1), serviceExponent)
            let sorted = unsorted(service).map { operation in
                (operation, order: Double(generator.next(below: 1000)) / 1000 + penalty(operation))
            }.sorted { ($0.order, $0.0.name) < ($1.order, $1.0.name) }
            for (place, entry) in sorted.enumerated() {
                var operation = entry.0
                operation.weight =
                    share / Zipf.power(Double(place + 1), operationExponent) * (operation.writes ? 0.75 : 1)
                operations.append(operation)
            }
        }
        return operations
    }

    private static let serviceExponent = 37
    private static let operationExponent = 34

    private static func unsorted(_ service: TrafficService) -> [TrafficOperation] {
        var operations: [TrafficOperation] = []
        func add(_ name: String, _ noun: String, writes: Bool) {
            guard !operations.contains(where: { $0.name == name }) else { return }
            operations.append(TrafficOperation(service: service, name: name, noun: noun, writes: writes, weight: 0))
        }
        for name in service.reads { add(name, service.nouns[0], writes: false) }
        for name in service.writes { add(name, service.nouns[0], writes: true) }
        let lists = ["Ram", "Ims", "Sts", "Kms", "Config", "Alb", "Nlb", "cloudsso"].contains(service.product)
        for noun in service.nouns {
            add((lists ? "List" : "Describe") + plural(noun), noun, writes: false)
            add("Get" + noun, noun, writes: false)
            add("Create" + noun, noun, writes: true)
            add("Delete" + noun, noun, writes: true)
            add("Update" + noun, noun, writes: true)
        }
        for name in ["Status", "Attribute"] { add("Describe\(service.nouns[0])\(name)", service.nouns[0], writes: false) }
        for verb in ["Start", "Stop"] { add(verb + service.nouns[0], service.nouns[0], writes: true) }
        for verb in ["Enable", "Disable"] { add(verb + service.nouns.last!, service.nouns.last!, writes: true) }
        return operations
    }

    private static func penalty(_ operation: TrafficOperation) -> Double {
        let isNamed = operation.service.reads.contains(operation.name) || operation.service.writes.contains(operation.name)
        return (operation.writes ? 0.32 : 0) + (isNamed ? 0 : operation.name.hasPrefix("Get") ? 0.9 : 0.25)
    }

    private static func plural(_ noun: String) -> String {
        if noun.hasSuffix("s") { return noun + "es" }
        guard noun.hasSuffix("y"), let before = noun.dropLast().last, !"aeiou".contains(before) else { return noun + "s" }
        return noun.dropLast() + "ies"
    }
}
