// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What the store tells the server without being asked.
public enum StoreReport: Sendable {
    /// To be recorded as a sensitive event.
    case clockJump(ClockJump)
    /// `key` is empty for a bucket's row or the clock's.
    case damage(bucket: String, key: String, what: String)
    case backgroundFailure(what: String, error: any Error)
}

/// What one run of ``EmbeddedObjectStore/maintain()`` did.
public struct MaintenanceResult: Sendable, Equatable {
    public internal(set) var expiredObjects = 0
    public internal(set) var expiredVersions = 0
    public internal(set) var removedDeleteMarkers = 0
    public internal(set) var abortedUploads = 0
    /// Objects that a rule would have removed and retention kept.
    public internal(set) var keptByRetention = 0
    /// Files that got or lost the immutable flag.
    public internal(set) var flagsChanged = 0
}
