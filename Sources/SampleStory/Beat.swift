// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One event to be written: who does what, when and with what result.
package struct Beat: Sendable {
    package var time: Int64
    package var operation: Int
    package var persona: Int
    package var outcome: Outcome
    package var address: Int
    package var agent: Int
    package var detail: Detail

    package enum Detail: Sendable {
        case routine(Int)
        case moment(Int)
    }
}
