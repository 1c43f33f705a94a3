// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Synchronization

/// Counts what changes a disk, or tries to, and fails a run of it.
package final class FaultPlan: Sendable {
    private let count = Mutex(0)
    private let failing: Range<Int>
    private let way: @Sendable (MemoryDisk.Operation) -> MemoryDisk.Fault?

    /// - Parameters:
    ///   - failing: changes by number, from 0; empty only counts.
    ///   - way: how a change of that kind fails; nil lets it through.
    package init(
        failing: Range<Int> = 0..<0, _ way: @escaping @Sendable (MemoryDisk.Operation) -> MemoryDisk.Fault? = { _ in nil }
    ) {
        self.failing = failing
        self.way = way
    }

    package var total: Int { count.withLock { $0 } }

    package func fault(_ operation: MemoryDisk.Operation) -> MemoryDisk.Fault? {
        guard operation != .read else { return nil }
        let number = count.withLock { count in
            defer { count += 1 }
            return count
        }
        return failing.contains(number) ? way(operation) : nil
    }

    package func install(on disk: MemoryDisk) { disk.setFault { [self] operation, _ in fault(operation) } }
}
