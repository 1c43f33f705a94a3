// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import LogEngine
import LogService
import TestSupport
import Testing

/// Random logs under random indexes, asked random questions, against an array of the logs.
@Suite struct `Searching a logstore` {
    @Test(arguments: UInt64(0)..<12) func `answers as looking at each log would`(seed: UInt64) async throws {
        let world = try StoreWorld(tailRows: [16, 40, 200][Int(seed % 3)])
        var service = try world.open()
        var maker = StoreMaker(seed: seed)
        var logstore = try await service.made(try StoreWorld.logstore(index: maker.index()))
        var model = StoreModel()
        for step in 0..<6 {
            for _ in 0..<12 {
                let group = maker.group()
                try await service.put(group, into: logstore)
                model.append(group)
            }
            if maker.maker.random.chance(1, of: 2) { try await service.settle(logstore) }
            let index = try LogRegistry.configuration(ofIndex: logstore.index!)
            for _ in 0..<12 {
                let query = maker.query(index, model)
                try await model.expectSame(
                    as: service, logstore, query, page: maker.maker.random.pick([1, 7, 100]), "seed \(seed), step \(step)")
            }
            switch maker.maker.random.below(5) {
            case 0:
                // Another index: what was written before is found by it too.
                let json = try maker.index()
                try service.registry.setIndex(json, logstore: "audit", project: "trails", isNew: false)
                logstore = try service.registry.logstore("audit", project: "trails")
            case 1:
                service.close()
                service = try world.open()
            default: break
            }
        }
        service.close()
    }

    @Test(arguments: UInt64(100)..<106) func `answers the same after any end`(seed: UInt64) async throws {
        let world = try StoreWorld(tailRows: 30)
        let service = try world.open()
        var maker = StoreMaker(seed: seed)
        let logstore = try await service.made(try StoreWorld.logstore(index: maker.index()))
        let index = try LogRegistry.configuration(ofIndex: logstore.index!)
        var model = StoreModel()
        for _ in 0..<40 {
            let group = maker.group()
            try await service.put(group, into: logstore)
            model.append(group)
        }
        for (end, disk) in [world.disk.afterKill(), world.disk.afterPowerLoss(seed: seed), world.disk].enumerated() {
            if end == 2 { service.close() }
            let later = try world.with(disk, tailRows: end == 0 ? nil : 50)
            let reopened = try later.open()
            for _ in 0..<8 {
                try await model.expectSame(
                    as: reopened, logstore, maker.query(index, model), page: 20, "seed \(seed), end \(end)")
            }
            #expect(later.damages.isEmpty)
            reopened.close()
        }
    }

    @Test(arguments: UInt64(200)..<205) func `answers what retention has left`(seed: UInt64) async throws {
        let world = try StoreWorld(tailRows: 16)
        let service = try world.open()
        var maker = StoreMaker(seed: seed)
        let logstore = try await service.made(try StoreWorld.logstore(index: maker.index()))
        let index = try LogRegistry.configuration(ofIndex: logstore.index!)
        var model = StoreModel()
        var firstKept = 0
        for day in 0..<50 {
            world.now = StoreWorld.start + Int64(day) * StoreWorld.day
            if day == 49 - logstore.ttl { firstKept = model.entries.count }
            let group = maker.group()
            try await service.put(group, into: logstore)
            model.append(group)
            try await service.settle(logstore)
        }
        await service.dropExpired()
        // Whole segments go; what is left of before is not shown.
        model.first = firstKept
        #expect(firstKept > 0)
        for reopening in 0..<2 {
            let current = reopening == 0 ? service : try world.with(world.disk.afterPowerLoss(seed: seed)).open()
            let held = Int(try await current.store(logstore).engine.firstSequence)
            #expect(held > 0 && held <= firstKept)
            for _ in 0..<8 {
                try await model.expectSame(as: current, logstore, maker.query(index, model), page: 20, "seed \(seed)")
            }
            let kept = try await current.all(logstore)
            #expect(kept.count == model.entries.count - model.first)
        }
        service.close()
    }

    @Test func `finds values that are nearly all different`() async throws {
        let world = try StoreWorld(tailRows: 3000)
        let service = try world.open()
        let index =
            Data(
                #"{"keys":{"n":{"type":"text","doc_value":true},"request":{"type":"text"},"kind":{"type":"text","doc_value":true},"#
                    .utf8) + Data(#""event":{"type":"json","json_keys":{"id":{"type":"text","doc_value":true}}}}}"#.utf8)
        let logstore = try await service.made(try StoreWorld.logstore(index: index))
        var model = StoreModel()
        for batch in 0..<24 {
            let logs = (batch * 300..<batch * 300 + 300).map { number in
                Log(
                    time: UInt32(StoreMaker.start + Int64(number / 20)),
                    contents: [
                        .init("n", String(number)), .init("request", UUIDText.of(number)),
                        .init("kind", number % 3 == 0 ? "third" : "other"),
                        .init("event", #"{"id":"\#(UUIDText.of(number + 1_000_000))","a":"x\#(number)"}"#),
                    ])
            }
            let group = LogGroup(logs: logs, source: "192.0.2.1")
            try await service.put(group, into: logstore)
            model.append(group)
        }
        try await service.settle(logstore)
        var reopened: LogService?
        for opening in 0..<2 {
            if opening == 1 { reopened = try world.with(world.disk.afterKill()).open() }
            for number in stride(from: 3, to: 7200, by: 823) {
                for text in [
                    "request: \(UUIDText.of(number))", "event.id: \(UUIDText.of(number + 1_000_000))", "n: \(number)",
                    "request: \(UUIDText.of(number).prefix(13))* and kind: other", "n >= \(number) and n < \(number + 5)",
                    "not request: \(UUIDText.of(number)) and n: \(number)", "request: * and n: \(number)",
                ] where !text.contains(">") {
                    let query = LogQuery(
                        text: text, times: StoreMaker.start * 1_000_000_000..<(StoreMaker.start + 400) * 1_000_000_000)
                    try await model.expectSame(as: reopened ?? service, logstore, query, page: 50, text)
                }
            }
        }
        // Such values have no lists: a segment's terms would else be as many as its rows.
        let rows = try await service.store(logstore).engine.rowSources(
            RowQuery(account: StoreWorld.account, condition: .all, times: .min ... .max))
        let last = try rows[rows.count - 1].open()
        #expect(try last.codes(ofField: 8)!.values.count <= 2)
        service.close()
    }
}

enum UUIDText {
    /// Different for each number, and the same each time.
    static func of(_ number: Int) -> String {
        var random = SeededGenerator(UInt64(number))
        return UUID(uuid: withUnsafeBytes(of: (random.next(), random.next())) { $0.loadUnaligned(as: uuid_t.self) }).uuidString
    }
}
