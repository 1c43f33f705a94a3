// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A log as a logstore holds it.
public struct StoredLog: Sendable, Equatable {
    /// Its place in the logstore, in order of arrival.
    public var sequence: UInt64
    public var log: Log
    public var topic: String
    public var source: String
    public var tags: [Log.Field]
    public var shard: Int
    /// Milliseconds since 1970.
    public var receivedAt: Int64
}
