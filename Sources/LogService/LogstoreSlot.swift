// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Of a logstore: its store if it is open, and who may touch its files.
final class LogstoreSlot: Sendable {
    let store = Mutex<LogStore?>(nil)
    /// Damage that was still there after the logstore was opened again.
    let lastingDamage = Mutex<Set<String>>([])
}
