// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import LogEngine
import Synchronization
import Testing

@Suite struct `Threads for long work` {
    @Test func `do one thing after another where there is one`() {
        let threads = WorkThreads(name: "one", count: 1)
        let order = Mutex<[Int]>([])
        for number in 0..<200 { threads.async { order.withLock { $0.append(number) } } }
        #expect(threads.sync { order.withLock { $0 } } == Array(0..<200))
    }

    @Test func `are no more than they may be, and as many as there is work for`() {
        let threads = WorkThreads(name: "three", count: 3)
        let busy = Atomic<Int>(0)
        let most = Atomic<Int>(0)
        let group = DispatchGroup()
        for _ in 0..<30 {
            group.enter()
            threads.async {
                let now = busy.wrappingAdd(1, ordering: .relaxed).newValue
                most.max(now, ordering: .relaxed)
                Thread.sleep(forTimeInterval: 0.005)
                busy.wrappingSubtract(1, ordering: .relaxed)
                group.leave()
            }
        }
        group.wait()
        #expect(most.load(ordering: .relaxed) == 3)
    }

    @Test func `let others go first if they are nice`() {
        #if canImport(Glibc)
            let which = Int32(PRIO_PROCESS.rawValue)
            let usual = getpriority(which, id_t(getpid()))
            let nice = WorkThreads(name: "nice", count: 1, niceness: 7).sync { getpriority(Int32(PRIO_PROCESS.rawValue), 0) }
            #expect(nice == min(19, usual + 7))
            #expect(getpriority(which, id_t(getpid())) == usual)
        #endif
    }
}
