// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Testing

@Suite struct SearchJSONTests {
    private static func leaf(_ path: String, _ json: String) -> String? {
        var json = json
        return json.withUTF8 { bytes in
            JSONLeafPaths.leaf(at: path, in: UnsafeRawBufferPointer(bytes))?.withText(scratch: ScratchBytes()) {
                String(decoding: $0, as: UTF8.self)
            }
        }
    }

    private static func leaves(_ json: String, maxDepth: Int? = nil) -> [String] {
        var json = json
        var found: [String] = []
        json.withUTF8 { bytes in
            JSONLeafWalk().forEachLeaf(in: UnsafeRawBufferPointer(bytes), maxDepth: maxDepth) { path, _, value in
                found.append(String(decoding: path, as: UTF8.self) + "=" + String(decoding: value, as: UTF8.self))
            }
        }
        return found
    }

    @Test(arguments: [
        (#"{"a":"x","b":{"c":1.50,"d":{"e":null}},"f":true}"#, ["a=x", "b.c=1.50", "b.d.e=null", "f=true"]),
        (" \n{ \"a\" : { } , \"b\" :\t-1e5 } trailing", ["b=-1e5"]),
        (#"{"a":[1,{"b":"]"},[]],"c":2}"#, ["c=2"]),
        (#"{"a.b":1,"a":{"b":2},"":{"":3}}"#, ["a.b=1", "a.b=2", ".=3"]),
        (#"{"\u0061\"":"\u00e9\ud83d\ude00\n\/\\","b":"\ud800x\udc00\q"}"#, ["a\"=é😀\n/\\", "b=\u{FFFD}x\u{FFFD}\\q"]),
        // The readable beginning of what is no JSON.
        (#"{"a":1,"b":2"#, ["a=1"]), (#"{"a":1,"b":"x"#, ["a=1"]), (#"{"a":"x""#, ["a=x"]), (#"{"a":{"b":1},"c""#, ["a.b=1"]),
        (#"{"a":1,}"#, ["a=1"]), (#"{"a":1 "b":2}"#, ["a=1"]), (#"{"a":tru,"b":2}"#, []), (#"{"a":1]"#, ["a=1"]),
        (#"{'a':1}"#, []),
        (#"[{"a":1}]"#, []), (#""a""#, []), ("", []), ("{", []), (#"{"a":}"#, []), (#"{"a":"\"#, []), (#"{"a":"\u00"#, []),
    ])
    func everyLeaf(_ json: String, _ expected: [String]) { #expect(Self.leaves(json) == expected) }

    @Test func ofEqualPathsTheLastCounts() {
        #expect(Self.leaf("a", #"{"a":1,"b":0,"a":2}"#) == "2")
        #expect(Self.leaf("a.b", #"{"a.b":1,"a":{"b":2}}"#) == "2")
        #expect(Self.leaf("a.b", #"{"a":{"b":2},"a.b":1}"#) == "1")
        #expect(Self.leaf("a.b", #"{"a":{"b":2},"a":{"c":1}}"#) == "2")
        #expect(Self.leaf("a.b.c", #"{"a":{"b.c":1},"a.b":{"c":[]}}"#) == "1")
        #expect(Self.leaf("", #"{"":7}"#) == "7")
        #expect(Self.leaf("a", #"{"a":{"a":1}}"#) == nil)
    }

    @Test func depthIsBounded() {
        #expect(Self.leaves(#"{"a":1,"b":{"c":2,"d":{"e":3}},"f":4}"#, maxDepth: 2) == ["a=1", "b.c=2", "f=4"])
        #expect(Self.leaves(#"{"a":1,"b":{"c":2}}"#, maxDepth: 1) == ["a=1"])
        #expect(Self.leaves(#"{"a":1}"#, maxDepth: 0) == [])
        let deep = String(repeating: #"{"a":"#, count: 100_000)
        #expect(Self.leaves(deep + "1" + String(repeating: "}", count: 100_000)) == [])
        #expect(Self.leaves(deep) == [])
        let arrays = #"{"x":\#(String(repeating: "[", count: 100_000))\#(String(repeating: "]", count: 100_000)),"b":2}"#
        #expect(Self.leaves(arrays) == ["b=2"])
        let inside = String(repeating: #"{"a":"#, count: 128) + #""x""# + String(repeating: "}", count: 128)
        #expect(Self.leaves(inside).count == 1)
        #expect(Self.leaves(#"{"a":"# + inside + #","b":2}"#) == ["b=2"])
    }

    /// Finding, walking and a reader by recursion see the same in whole, cut and changed texts.
    @Test(arguments: 0..<4) func allReadersAgree(seed: UInt64) throws {
        var maker = SearchMaker(seed: seed &+ 1_000)
        let paths = ["a", "b", "a.b", "a.b.c", "b.c", "c", "num", "É", "x y", "e\"f", "k/l", "", "a.", "Deep.a", "c.b.a"]
        let finder = JSONLeafPaths(paths)
        let walk = JSONLeafWalk()
        let scratch = ScratchBytes()
        var found: [JSONLeaf?] = paths.map { _ in nil }
        for _ in 0..<4_000 {
            let json = maker.json()
            let expected = NaiveJSON(json).leaves
            Array(json.utf8).withUnsafeBytes { bytes in
                var walked: [String] = []
                walk.forEachLeaf(in: bytes) { path, _, value in
                    walked += [String(decoding: path, as: UTF8.self), String(decoding: value, as: UTF8.self)]
                }
                #expect(walked == expected.flatMap { [$0.path, $0.value] }, "\(json)")
                finder.find(in: bytes, into: &found)
                for (path, leaf) in zip(paths, found) {
                    let value = leaf?.withText(scratch: scratch) { String(decoding: $0, as: UTF8.self) }
                    #expect(value == expected.last { $0.path == path }?.value, "\(path) of \(json)")
                }
            }
        }
    }
}
