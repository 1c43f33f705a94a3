// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Visits every leaf of a JSON object, in the order of the text. Reused for one text after another, so that its buffers are
/// allocated once.
///
/// A path may come more than once; then the last leaf counts, as in ``JSONLeafPaths``.
package struct JSONLeafWalk {
    private let path = ScratchBytes()
    private let text = ScratchBytes()

    package init() {}

    /// - Parameters:
    ///   - maxDepth: levels of keys that are looked at, 1 for the object's own; nil for all of them, up to 128.
    ///   - visit: `path` is the keys joined by dots; `value` the text without escapes, or the number, boolean or null as written.
    ///     Both are valid during the call only.
    package func forEachLeaf(
        in json: UnsafeRawBufferPointer, maxDepth: Int? = nil,
        _ visit: (_ path: UnsafeRawBufferPointer, _ leaf: JSONLeaf, _ value: UnsafeRawBufferPointer) -> Void
    ) {
        path.cut(to: 0)
        withoutActuallyEscaping(visit) { visit in
            withUnsafeTemporaryAllocation(of: Int.self, capacity: JSONScanner.deepest) { above in
                var walker = Walker(path: path, text: text, above: above, visit: visit)
                JSONScanner.scan(json, maxDepth: maxDepth ?? .max, visitor: &walker)
            }
        }
    }

    private struct Walker: JSONVisitor {
        let path: ScratchBytes
        let text: ScratchBytes
        /// Lengths of the paths of the objects around the present one.
        let above: UnsafeMutableBufferPointer<Int>
        let visit: (UnsafeRawBufferPointer, JSONLeaf, UnsafeRawBufferPointer) -> Void
        var depth = 0
        /// How long the path of the present object is, its dot included.
        var prefix = 0

        @inline(__always)
        mutating func key(_ raw: UnsafeRawBufferPointer, isEscaped: Bool) {
            path.cut(to: prefix)
            if isEscaped {
                JSONEscapes.decode(raw, into: path)
            } else {
                path.append(raw)
            }
        }

        @inline(__always)
        mutating func enter() {
            above[depth] = prefix
            depth += 1
            path.append(UInt8(ascii: "."))
            prefix = path.count
        }

        @inline(__always)
        mutating func leave() {
            depth -= 1
            prefix = above[depth]
        }

        @inline(__always)
        func leaf(_ leaf: JSONLeaf) { leaf.withText(scratch: text) { visit(path.bytes, leaf, $0) } }
    }
}
