// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import EventHistory
import Foundation
import Glibc
import LogEngine
import MerkleLog
import Metadata
import Synchronization
import Testing

@Suite struct `Recording` {
    /// A fault at each write in turn, of each kind, then a power loss: what was acknowledged is there once.
    @Test(arguments: 0..<3, [1, 2] as [UInt64])
    func `keeps what it acknowledged through a fault at any write and a power loss`(kind: Int, seed: UInt64) async throws {
        for failing in 0..<40 {
            let world = try World(tailRows: 60)
            let history = try world.open()
            let count = Shared(0)
            world.disk.setFault { operation, _ in
                guard [.append, .sync, .create, .syncDirectory, .rename].contains(operation) else { return nil }
                guard
                    count.withLock({
                        $0 += 1; return $0
                    }) == failing + 1
                else { return nil }
                return kind == 0 ? .lost(errno: EIO) : kind == 1 ? .kept(errno: EIO) : .torn(bytes: 50, errno: ENOSPC)
            }
            var acknowledged: Set<Int> = []
            for batch in 0..<8 {
                let ids = batch * 25..<batch * 25 + 25
                for attempt in 0..<3 {
                    do {
                        _ = try await history.record(events(ids), account: account)
                        acknowledged.formUnion(ids)
                        break
                    } catch { #expect(attempt < 2, "fault \(failing) of kind \(kind) does not go away: \(error)") }
                }
                if batch % 3 == 2 { _ = try? history.signedLog.checkpoint() }
            }
            #expect(history.canRecord)
            world.disk.setFault(nil)
            let after = try world.afterPowerLoss(seed: seed &* 1000 + UInt64(failing))
            let reopened = try after.open()
            let where_ = Comment(rawValue: "kind \(kind), fault \(failing), seed \(seed)")
            let held = try reopened.all()
            #expect(Set(held).count == held.count, where_)
            #expect(held.count == acknowledged.count, where_)
            #expect(try await reopened.record(events(0..<220), account: account).accepted == 220 - acknowledged.count, where_)
            #expect(try reopened.treeProblem(step: 13) == nil, where_)
            reopened.close()
            history.close()
        }
    }

    @Test func `refuses while the disk is full, reads on, and goes on by itself`() async throws {
        let world = try World()
        let history = try world.open()
        _ = try await history.record(events(0..<300), account: account)
        world.disk.setCapacity(world.disk.used)
        for _ in 0..<3 {
            do {
                _ = try await history.record(events(300..<600), account: account)
                Issue.record("recorded on a full disk")
            } catch HistoryError.cannotRecord {}
        }
        #expect(!history.canRecord)
        #expect(try history.all().count == 300)
        world.disk.setCapacity(.max)
        #expect(try await history.record(events(300..<600), account: account).accepted == 300)
        #expect(history.canRecord)
        #expect(try history.treeProblem(step: 50) == nil)
        history.close()
    }

    @Test(.timeLimit(.minutes(1)))
    func `answers everyone when it is closed in the middle`() async throws {
        let world = try World(tailRows: 500)
        let history = try world.open()
        let acknowledged = Shared<Set<Int>>([])
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for batch in 0..<200 {
                        let ids = writer * 100_000 + batch * 10..<writer * 100_000 + batch * 10 + 10
                        do { _ = try await history.record(events(ids), account: account) } catch { return }
                        acknowledged.withLock { $0.formUnion(ids) }
                    }
                }
            }
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<50 { _ = try? history.lookUp(LookupQuery(account: account, times: .min ... .max, limit: 20)) }
                }
            }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(60))
                await withCheckedContinuation { done in
                    Thread {
                        history.close(); done.resume()
                    }.start()
                }
            }
        }
        await #expect(throws: HistoryError.self) { try await history.record(event("late")) }
        let again = try world.open()
        let held = Set(try again.all())
        for id in acknowledged.withLock({ $0 }) { #expect(held.contains(event("E-\(id)"))) }
        again.close()
    }

    @Test func `refuses as busy past its queue`() async throws {
        let world = try World()
        let history = try world.open(waitingBytesLimit: 20_000)
        let gate = DispatchSemaphore(value: 0)
        world.disk.setFault { operation, path in
            if operation == .append, path.contains("journal") { gate.wait() }
            return nil
        }
        let results = await withTaskGroup(of: String.self) { group in
            for task in 0..<40 {
                group.addTask {
                    do {
                        _ = try await history.record(events(task * 10..<task * 10 + 10), account: account)
                        return "ok"
                    } catch HistoryError.busy {
                        return "busy"
                    } catch { return "\(error)" }
                }
            }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(100))
                for _ in 0..<1000 { gate.signal() }
                return "gate"
            }
            return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect((results["busy"] ?? 0) > 0 && (results["ok"] ?? 0) > 0, "\(results)")
        #expect(try await history.record(event("after")).accepted == 1)
        history.close()
    }

    @Test func `works on a real disk`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "cairn-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let disk = LocalDisk()
        try disk.createDirectory(folder)
        let metadata = try Metadata(path: folder + "/metadata.sqlite")
        for round in 0..<3 {
            let history = try World.open(disk, metadata, folder: folder, tailRows: 200)
            _ = try await history.record(events(round * 300..<round * 300 + 300), account: account)
            #expect(try await history.record(events(0..<300), account: account).duplicates == 300)
            #expect(try history.treeProblem(step: 29) == nil)
            history.close()
        }
    }
}
