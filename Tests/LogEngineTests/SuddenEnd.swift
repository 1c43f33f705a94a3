// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Synchronization

/// Ends everything at one of the next writes to a disk: what would be left is a disk of its own, while the one that is
/// written to goes on as if nothing had been.
final class SuddenEnd: Sendable {
    enum Cause {
        /// Takes what was not synced.
        case powerLoss(seed: UInt64)
        /// Takes the process only; the power may go later.
        case kill
    }

    private struct State {
        var writesLeft: Int
        var isAnswered = false
        var wasAnswered = false
        var left: MemoryDisk?
    }

    private let state: Mutex<State>

    init(of disk: MemoryDisk, atWrite number: Int, by cause: Cause) {
        state = Mutex(State(writesLeft: number))
        disk.setFault { operation, _ -> MemoryDisk.Fault? in
            if operation != .read && self.isMoment() {
                let left = cause.left(of: disk)
                self.state.withLock { $0.left = left }
            }
            return nil
        }
    }

    /// What is left; nil if there were fewer writes.
    var left: MemoryDisk? { state.withLock { $0.left } }

    /// Whether the answer was out when the end came.
    var wasAnswered: Bool { state.withLock { $0.wasAnswered } }

    /// From now on whoever asked has the answer.
    func answered() { state.withLock { $0.isAnswered = true } }

    /// Looks at the answer before the disk: one that comes in between may be on it, but need not.
    private func isMoment() -> Bool {
        state.withLock { state in
            state.writesLeft -= 1
            guard state.writesLeft == 0 else { return false }
            state.wasAnswered = state.isAnswered
            return true
        }
    }
}

extension SuddenEnd.Cause {
    func left(of disk: MemoryDisk) -> MemoryDisk {
        switch self {
        case .powerLoss(let seed): disk.afterPowerLoss(seed: seed)
        case .kill: disk.afterKill()
        }
    }
}
