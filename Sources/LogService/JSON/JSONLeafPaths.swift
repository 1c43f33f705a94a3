// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Finds the leaves at some paths of a JSON object, all in one pass and without decoding the rest.
///
/// A path is keys joined by dots. A key may have dots itself: what counts is that the joined keys are the path. If a path comes
/// more than once, be it by a repeated key or by another cut of its dots, the last leaf in the text counts.
package struct JSONLeafPaths: Sendable {
    /// Where one has come to in the paths by some keys.
    private struct Node {
        /// Of `edges`.
        var keys: Range<Int> = 0..<0
        /// Bit n: there is a key of n bytes, modulo 64.
        var lengths: UInt64 = 0
        var path: Int?
    }

    private struct Edge {
        /// Of `bytes`.
        var key: Range<Int>
        var target: Int
    }

    private static let root = 0
    private static let nowhere = -1

    package let count: Int
    private var nodes: [Node]
    private var edges: [Edge] = []
    private var bytes: [UInt8] = []

    /// - Parameter paths: each different from the others, by its bytes.
    package init(_ paths: [String]) {
        precondition(Set(paths.map { Array($0.utf8) }).count == paths.count, "a path given twice")
        count = paths.count
        nodes = [Node()]
        var numbers: [[UInt8]: Int] = [:]
        var found: [(source: Int, edge: Edge)] = []
        for (index, path) in paths.enumerated() {
            let start = bytes.count
            bytes += path.utf8
            // Keys begin at the path's start and behind each dot, and end at each dot and the path's end.
            let ends = bytes.indices[start...].filter { bytes[$0] == UInt8(ascii: ".") } + [bytes.count]
            let targets = ends.map { end in
                let prefix = Array(bytes[start..<end])
                if let number = numbers[prefix] { return number }
                numbers[prefix] = nodes.count
                nodes.append(Node())
                return nodes.count - 1
            }
            for first in ends.indices {
                let source = first == 0 ? Self.root : targets[first - 1]
                let begin = first == 0 ? start : ends[first - 1] + 1
                for last in first..<ends.count {
                    found.append((source, Edge(key: begin..<ends[last], target: targets[last])))
                }
            }
            if let target = targets.last { nodes[target].path = index }
        }
        arrange(found)
    }

    private mutating func arrange(_ found: [(source: Int, edge: Edge)]) {
        for (source, group) in Dictionary(grouping: found, by: \.source) {
            let start = edges.count
            for (_, edge) in group where !edges[start...].contains(where: { bytes[$0.key] == bytes[edge.key] }) {
                edges.append(edge)
                nodes[source].lengths |= 1 << UInt64(edge.key.count & 63)
            }
            nodes[source].keys = start..<edges.count
        }
    }

    /// - Parameter leaves: as many as there are paths; nil where the text has none.
    package func find(in text: UnsafeRawBufferPointer, into leaves: inout [JSONLeaf?]) {
        precondition(leaves.count == count)
        leaves.withUnsafeMutableBufferPointer { leaves in
            for index in leaves.indices { leaves[index] = nil }
            nodes.withUnsafeBufferPointer { nodes in
                edges.withUnsafeBufferPointer { edges in
                    bytes.withUnsafeBytes { bytes in
                        withUnsafeTemporaryAllocation(of: Int.self, capacity: JSONScanner.deepest) { above in
                            var finder = Finder(nodes: nodes, edges: edges, bytes: bytes, leaves: leaves, above: above)
                            JSONScanner.scan(text, maxDepth: .max, visitor: &finder)
                        }
                    }
                }
            }
        }
    }

    package static func leaf(at path: String, in text: UnsafeRawBufferPointer) -> JSONLeaf? {
        var leaves: [JSONLeaf?] = [nil]
        JSONLeafPaths([path]).find(in: text, into: &leaves)
        return leaves[0]
    }

    private struct Finder: JSONVisitor {
        let nodes: UnsafeBufferPointer<Node>
        let edges: UnsafeBufferPointer<Edge>
        let bytes: UnsafeRawBufferPointer
        let leaves: UnsafeMutableBufferPointer<JSONLeaf?>
        /// Nodes of the objects around the present one.
        let above: UnsafeMutableBufferPointer<Int>
        var depth = 0
        /// Of the present object, and of its last key.
        var object = JSONLeafPaths.root
        var member = JSONLeafPaths.nowhere

        @inline(__always)
        mutating func key(_ raw: UnsafeRawBufferPointer, isEscaped: Bool) {
            guard object >= 0 else { return }
            member = isEscaped ? escapedTarget(raw) : target(raw)
        }

        @inline(__always)
        func target(_ key: UnsafeRawBufferPointer) -> Int {
            guard nodes[object].lengths >> UInt64(key.count & 63) & 1 == 1 else { return JSONLeafPaths.nowhere }
            for index in nodes[object].keys {
                let candidate = edges[index].key
                if candidate.count == key.count, ByteText.equal(bytes, candidate.lowerBound, key) {
                    return edges[index].target
                }
            }
            return JSONLeafPaths.nowhere
        }

        @inline(never)
        func escapedTarget(_ raw: UnsafeRawBufferPointer) -> Int {
            let key = ScratchBytes()
            JSONEscapes.decode(raw, into: key)
            return target(key.bytes)
        }

        @inline(__always)
        mutating func enter() {
            above[depth] = object
            depth += 1
            object = member
            member = JSONLeafPaths.nowhere
        }

        @inline(__always)
        mutating func leave() {
            depth -= 1
            object = above[depth]
        }

        @inline(__always)
        func leaf(_ leaf: JSONLeaf) {
            guard object >= 0, member >= 0, let path = nodes[member].path else { return }
            leaves[path] = leaf
        }
    }
}
