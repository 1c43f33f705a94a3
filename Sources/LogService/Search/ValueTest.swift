// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a condition asks of a field's value.
enum ValueTest: Sendable {
    case exists
    /// There, with nothing in it.
    case isEmpty
    case words(WordTest)
    /// The value is a JSON text.
    case wordsOfJSON(WordTest)
    case number(NumberRange)

    var words: WordTest? {
        switch self {
        case .words(let test), .wordsOfJSON(let test): test
        case .exists, .isEmpty, .number: nil
        }
    }

    /// - Parameter value: nil if the log does not have the field.
    @inline(__always)
    func matches(_ value: UnsafeRawBufferPointer?, scratch: @autoclosure () -> ScratchBytes) -> Bool {
        guard let value else { return false }
        return switch self {
        case .exists: true
        case .isEmpty: value.isEmpty
        case .words(let test): test.matches(value)
        case .wordsOfJSON(let test): test.matchesJSON(value, scratch: scratch())
        case .number(let range): range.contains(value)
        }
    }
}
