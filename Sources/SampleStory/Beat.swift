// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One event to be written: who does what, when and with what result.
struct Beat: Sendable {
    var time: Int64
    var operation: Int
    var persona: Int
    var outcome: Outcome
    var address: Int
    var agent: Int
    var detail: Detail

    enum Detail: Sendable {
        case routine(Int)
        case moment(Int)
    }
}
