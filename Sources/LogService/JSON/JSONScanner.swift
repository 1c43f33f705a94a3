// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What is told of a JSON object's members, in the order of the text.
protocol JSONVisitor {
    /// A member's key as written, without its quotes; what follows is about its value.
    mutating func key(_ raw: UnsafeRawBufferPointer, isEscaped: Bool)
    /// The value is an object whose members follow.
    mutating func enter()
    /// Of the object last entered there is no more.
    mutating func leave()
    mutating func leaf(_ leaf: JSONLeaf)
}

/// Goes through a JSON object once from front to end.
///
/// Everything that looks into JSON fields goes this way, so that all of it agrees on texts that are not quite JSON: members are
/// told until the first thing that is out of place, and what follows is not looked at. Arrays are passed over with all that is
/// in them, and so are objects deeper than asked for. Text after the object is ignored. There is no recursion.
enum JSONScanner {
    /// The most levels of keys that are looked at, whatever is asked for.
    static let deepest = 128

    @inline(__always)
    static func scan<Visitor: JSONVisitor>(
        _ text: UnsafeRawBufferPointer, maxDepth: Int, visitor: inout Visitor
    ) {
        let maxDepth = min(maxDepth, deepest)
        var place = JSONBytes.skipBlanks(in: text, from: 0)
        guard place < text.count, text[place] == UInt8(ascii: "{"), maxDepth > 0 else { return }
        place += 1
        var depth = 1
        // After `{` the object may end at once.
        var mayEnd = true
        while true {
            place = JSONBytes.skipBlanks(in: text, from: place)
            guard place < text.count else { return }
            if mayEnd, text[place] == UInt8(ascii: "}") {
                place += 1
                depth -= 1
                guard depth > 0 else { return }
                visitor.leave()
            } else {
                guard let value = readKey(text, from: place, visitor: &visitor) else { return }
                place = value
                guard place < text.count else { return }
                switch text[place] {
                case JSONBytes.quote:
                    var isEscaped = false
                    guard let end = JSONBytes.endOfString(in: text, from: place + 1, isEscaped: &isEscaped) else { return }
                    let raw = UnsafeRawBufferPointer(rebasing: text[place + 1..<end])
                    visitor.leaf(JSONLeaf(kind: .text, raw: raw, isEscaped: isEscaped))
                    place = end + 1
                case UInt8(ascii: "{") where depth < maxDepth:
                    visitor.enter()
                    depth += 1
                    place += 1
                    mayEnd = true
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    guard let end = JSONBytes.endOfContainer(in: text, from: place) else { return }
                    place = end
                default:
                    guard let plain = JSONBytes.endOfPlainValue(in: text, from: place) else { return }
                    let raw = UnsafeRawBufferPointer(rebasing: text[place..<plain.end])
                    visitor.leaf(JSONLeaf(kind: plain.kind, raw: raw, isEscaped: false))
                    place = plain.end
                }
            }
            guard let next = nextMember(text, from: place, depth: &depth, visitor: &visitor) else { return }
            place = next
            mayEnd = false
        }
    }

    /// Tells a key; gives where its value begins.
    @inline(__always)
    private static func readKey<Visitor: JSONVisitor>(
        _ text: UnsafeRawBufferPointer, from place: Int, visitor: inout Visitor
    ) -> Int? {
        var isEscaped = false
        guard text[place] == JSONBytes.quote,
            let end = JSONBytes.endOfString(in: text, from: place + 1, isEscaped: &isEscaped)
        else { return nil }
        let colon = JSONBytes.skipBlanks(in: text, from: end + 1)
        guard colon < text.count, text[colon] == UInt8(ascii: ":") else { return nil }
        visitor.key(UnsafeRawBufferPointer(rebasing: text[place + 1..<end]), isEscaped: isEscaped)
        return JSONBytes.skipBlanks(in: text, from: colon + 1)
    }

    /// After a value: past the comma before the next member, out of as many objects as end here. Nil if nothing more can be read.
    @inline(__always)
    private static func nextMember<Visitor: JSONVisitor>(
        _ text: UnsafeRawBufferPointer, from place: Int, depth: inout Int, visitor: inout Visitor
    ) -> Int? {
        var place = place
        while true {
            place = JSONBytes.skipBlanks(in: text, from: place)
            guard place < text.count else { return nil }
            switch text[place] {
            case UInt8(ascii: ","): return place + 1
            case UInt8(ascii: "}"):
                depth -= 1
                guard depth > 0 else { return nil }
                visitor.leave()
                place += 1
            default: return nil
            }
        }
    }
}
