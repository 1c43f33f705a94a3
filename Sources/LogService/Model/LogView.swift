// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A log's parts where they lie in memory, all of them UTF-8: what searching and analysing look at.
///
/// Valid as long as the memory is; kept for one log after another, so that its lists are allocated once.
package struct LogView {
    package struct Field {
        package var key: UnsafeRawBufferPointer
        package var value: UnsafeRawBufferPointer

        package init(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
            self.key = key
            self.value = value
        }
    }

    /// Seconds since 1970.
    package var time: Int64 = 0
    package var nanoseconds: UInt32 = 0
    package var topic = UnsafeRawBufferPointer(start: nil, count: 0)
    package var source = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Keys without the `__tag__:` before them.
    package var tags: [Field] = []
    /// Of two with one key the last counts.
    package var contents: [Field] = []

    package init() {}
}
