// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Where and why bytes are not JSON (RFC 8259).
package struct JSONFailure: Error, Equatable {
    package enum Reason: UInt8, Sendable {
        case unexpectedEnd, unexpectedByte, expectedKey, expectedColon, expectedCommaOrEnd
        case controlCharacter, badEscape, badUTF8, badNumber, tooDeep, trailingText
    }

    package var reason: Reason
    /// Counted from where the scan began.
    package var offset: Int

    package init(reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

extension JSONFailure.Reason {
    var description: String {
        switch self {
        case .unexpectedEnd: "the JSON ends too early"
        case .unexpectedByte: "a JSON value was expected"
        case .expectedKey: "a key in quotes was expected"
        case .expectedColon: "a colon was expected"
        case .expectedCommaOrEnd: "a comma or the end of the array or object was expected"
        case .controlCharacter: "a control character stands in a string"
        case .badEscape: "an escape sequence is invalid"
        case .badUTF8: "a string is not valid UTF-8"
        case .badNumber: "a number is malformed"
        case .tooDeep: "values are nested more than \(EventParser.maximumDepth) deep"
        case .trailingText: "text follows the event"
        }
    }
}
