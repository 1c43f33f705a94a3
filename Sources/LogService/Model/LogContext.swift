// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What was written around a log, from the same source.
public struct LogContext: Sendable {
    /// Index in order, 0 for the log itself, and the log's fields.
    public var rows: [(index: Int, fields: [Log.Field])] = []
    public var backLines = 0
    public var forwardLines = 0

    public init() {}
}
