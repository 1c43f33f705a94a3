// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A condition of a search that knows where to look and how.
package struct BoundCondition: Sendable {
    package enum Target: Sendable, Equatable {
        /// Keys and values of all contents; of JSON fields those in the JSON. Topic, source and tags have names of their own.
        case line
        case topic
        case source
        /// Without `__tag__:`.
        case tag(String)
        case field(String)
        /// A leaf of a JSON field, by the path below it.
        case leaf(field: String, path: String)
    }

    package let target: Target
    let test: ValueTest
    /// The name of a tag as bytes.
    let tag: [UInt8]
    /// Of a field or leaf, its place among the plan's fields, and of a leaf its place among the field's paths.
    let field: Int
    let path: Int

    init(target: Target, test: ValueTest, field: Int, path: Int) {
        self.target = target
        self.test = test
        self.field = field
        self.path = path
        if case .tag(let name) = target { tag = Array(name.utf8) } else { tag = [] }
    }

    /// Whether a log with this value of the target meets the condition. The value alone decides, unless the target is the line.
    ///
    /// - Parameter value: nil if the log has none. Of a leaf the text without escapes, or its number, `true`, `false` or `null`
    ///   as written: a null is the text `null`, which is what the vendor's rules look for.
    package func matches(value: UnsafeRawBufferPointer?) -> Bool { test.matches(value, scratch: ScratchBytes()) }
}
