// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Threads for work of milliseconds and more: made when there is work, gone after some seconds without.
///
/// Work begins in the order in which it was added; with one thread it is done one after another.
package final class WorkThreads: @unchecked Sendable {
    /// Of threads that whole batches are worked on, and their index: lone events and questions go first, and the index keeps up
    /// with the batches.
    package static let batchNiceness: Int32 = 4
    private static let patience = 5.0

    private let name: String
    private let count: Int
    private let niceness: Int32
    /// Guards all below.
    private let condition = NSCondition()
    private var waiting: [@Sendable () -> Void] = []
    private var running = 0
    private var idle = 0

    /// - Parameters:
    ///   - count: the most threads there are at a time.
    ///   - niceness: more than that of the process; where processors are few, nicer threads let others go first (setpriority(2),
    ///     Linux only).
    package init(name: String, count: Int, niceness: Int32 = 0) {
        self.name = name
        self.count = count
        self.niceness = niceness
    }

    package func async(_ work: @escaping @Sendable () -> Void) {
        condition.lock()
        defer { condition.unlock() }
        waiting.append(work)
        if waiting.count > idle, running < count {
            running += 1
            let thread = Thread { [self] in run() }
            thread.name = name
            thread.start()
        } else {
            condition.signal()
        }
    }

    package func async(after milliseconds: Int, _ work: @escaping @Sendable () -> Void) {
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [self] in async(work) }
    }

    /// Does work on one of the threads and waits for it.
    package func sync<Value: Sendable>(_ work: @escaping @Sendable () -> Value) -> Value {
        let done = DispatchSemaphore(value: 0)
        let value = Mutex<Value?>(nil)
        async {
            let result = work()
            value.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        guard let value = value.withLock({ $0 }) else { preconditionFailure("the work was done") }
        return value
    }

    private func run() {
        #if canImport(Glibc)
            // A thread begins with the niceness of the one that made it.
            let which = Int32(PRIO_PROCESS.rawValue)
            setpriority(which, 0, min(19, getpriority(which, id_t(getpid())) + niceness))
        #endif
        condition.lock()
        while true {
            if let work = waiting.first {
                waiting.removeFirst()
                condition.unlock()
                work()
                condition.lock()
                continue
            }
            idle += 1
            let isWoken = condition.wait(until: Date(timeIntervalSinceNow: Self.patience))
            idle -= 1
            if !isWoken && waiting.isEmpty { break }
        }
        running -= 1
        condition.unlock()
    }
}
