// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import EventHistory
import Foundation
import KeyManagement
import LogEngine
import MerkleLog
import Metadata
import ObjectStorage
import Testing

/// Whole stores with a file that is not as it was.
extension Fuzzing {
    @Suite struct `A store` {
        // MARK: Engines

        private static func open(_ disk: MemoryDisk, tailRows: Int = 512) throws -> LogEngine {
            var settings = LogEngine.Settings(folder: "h", fieldCount: 3, uniqueField: 1)
            settings.tailRows = tailRows
            settings.cacheBytes = 1 << 20
            return try LogEngine(
                settings: settings, disk: disk, key: ServiceKey.fuzz, report: { _ in }, beforeSealing: { _ in },
                indexer: { record, hasher, facts in index(record.bytes, hasher, &facts) })
        }

        /// Nil if the store cannot be opened as it is, which it has to say in one of two ways.
        private static func openUnlessDamaged(_ disk: MemoryDisk, tailRows: Int = 512) throws -> LogEngine? {
            try unlessRefused(LogEngineError.self) {
                try unlessRefused(StoreDamage.self) { try open(disk, tailRows: tailRows) }
            } ?? nil
        }

        private static func index(_ bytes: [UInt8], _ hasher: TermHasher, _ facts: inout RowFacts) {
            let unique = bytes.withUnsafeBytes { hasher.hash(field: 1, value: $0) }
            facts.append(term: .init(field: 1, hash: unique))
            facts.append(term: .init(field: 2, hash: hasher.hash(field: 2, value: "all")))
            facts.endRow(time: Int64(bytes.count), uniqueHash: unique)
        }

        private static func commit(_ bodies: [String], to engine: LogEngine) throws -> UInt64 {
            var payload = engine.newFrame(account: "anna")
            var facts = RowFacts()
            for body in bodies {
                let bytes = Array(body.utf8)
                bytes.withUnsafeBytes { payload.append($0, flags: [], receivedDigest: nil) }
                index(bytes, engine.hasher(account: "anna"), &facts)
            }
            return try engine.commit([.init(account: "anna", frames: [payload.prepared()], facts: facts)], recordedAt: 1000)
        }

        /// A body of the form that books are made from.
        private static let nextOne =
            #"{"acsRegion":"cn-hangzhou","apiVersion":"2014-05-26","eventId":"F90B88B7-7C24-566C-DB7F-22D28A3B688B","#
            + #""eventName":"RunInstances","eventVersion":1,"requestId":"the next one"}"#

        /// Whatever was found, recording goes on.
        private static func expectRecording(_ engine: LogEngine) throws {
            let next = try commit([nextOne], to: engine)
            try demand(try engine.record(at: next).bytes == Array(nextOne.utf8), "what is recorded cannot be read")
        }

        /// Asks for everything; damage is an answer.
        private static func ask(_ engine: LogEngine, _ terms: [RowFacts.Term], words: String = "") throws -> Int {
            var found = 0
            for direction in [SearchDirection.oldestFirst, .newestFirst] {
                for (times, after) in [
                    (Int64.min ... .max, nil), (3...7, LogPosition(time: 5, sequence: 2)), (4000...8500, nil),
                ] as [(ClosedRange<Int64>, LogPosition?)] {
                    let query = SearchQuery(
                        account: "anna", terms: terms, words: engine.words(of: words, account: "anna"), times: times,
                        direction: direction, after: after)
                    _ = try unlessRefused(StoreDamage.self) {
                        var cursor = try engine.search(query)
                        var count = 0
                        while count < 300, try cursor.next() != nil { count += 1 }
                        found += count
                    }
                }
            }
            return found
        }

        /// A store without records, so that its identity is there.
        private static func empty() throws -> MemoryDisk {
            let disk = MemoryDisk()
            try open(disk).close()
            return disk
        }

        @Test func `answers or names the damage whatever its segments say`() async throws {
            let base = try Self.empty()
            let made = [5, 4100, 8300].map { PlainSegment.made(rows: $0).input }
            try await Fuzzer(name: "segment", kind: .binary, made: made, tries: 300, sizeLimit: 32 << 10).run { input in
                let segment = PlainSegment.read(input)
                let disk = base.afterPowerLoss(seed: 1)
                try disk.replace("h/segments/" + segment.name(), with: segment.sealed())
                guard let engine = try Self.openUnlessDamaged(disk) else { return "shut" }
                defer { engine.close() }
                var outcome = "\(engine.statistics.segments)"
                for key in [0, 1000, 39_000, 7, 8] as [UInt64] {
                    let terms = [RowFacts.Term(field: key % 1000 == 0 ? 1 : 2, hash: key << 24)]
                    let found = try Self.ask(engine, terms)
                    outcome += " \(min(found, 40))"
                    _ = try engine.sequences(uniqueHash: key << 24)
                    var facts = RowFacts()
                    facts.endRow(time: 0, uniqueHash: key << 24)
                    _ = try unlessRefused(StoreDamage.self) { try engine.possiblyKnown(facts) }
                }
                // Two lists at a time, and none.
                let both = [RowFacts.Term(field: 1, hash: 2000 << 24), RowFacts.Term(field: 2, hash: 7 << 24)]
                let (withBoth, withNone) = (try Self.ask(engine, both), try Self.ask(engine, []))
                // By words: one, several, and one that may be the unique value.
                let all = [RowFacts.Term(field: 2, hash: 7 << 24)]
                var withWords: [Int] = []
                for words in ["RunInstances", "ecs cn-hangzhou", "f90b88b7-7c24-566c-db7f-22d28a3b688b"] {
                    withWords.append(min(try Self.ask(engine, all, words: words), 300))
                }
                try Self.count(engine, all)
                try Self.expectRecording(engine)
                return outcome + " \(withBoth) \(withNone) \(withWords)"
            }
        }

        private static func count(_ engine: LogEngine, _ terms: [RowFacts.Term]) throws {
            for times in [Int64.min ... .max, 3...7] {
                for fields in [[1], [2], [1, 2], [2, 1]] as [[UInt8]] {
                    let query = SearchQuery(account: "anna", terms: terms, times: times)
                    _ = try unlessRefused(StoreDamage.self) { try engine.count(query, by: fields).largest(9) }
                }
            }
        }

        /// Eight of one kind, side by side: as many as are joined.
        @Test func `joins its segments or leaves them whatever they say`() async throws {
            let base = try Self.empty()
            let made = [5, 300].map { PlainSegment.made(rows: $0).input }
            try await Fuzzer(name: "segment-join", kind: .binary, made: made, tries: 300).run { input in
                let segment = PlainSegment.read(input)
                guard (1...600).contains(segment.rowCount) else { return "many rows" }
                let disk = base.afterPowerLoss(seed: 1)
                for number in 0..<8 {
                    let first = UInt64(number) * UInt64(segment.rowCount)
                    try disk.replace("h/segments/" + segment.name(first: first), with: segment.sealed(first: first))
                }
                guard let engine = try Self.openUnlessDamaged(disk) else { return "shut" }
                defer { engine.close() }
                // Waits until the background has tried to join them.
                engine.dropRecords(olderThan: .min)
                let all = [RowFacts.Term(field: 2, hash: 7 << 24)]
                let (withTerm, withWord) = (try Self.ask(engine, all), try Self.ask(engine, all, words: "RunInstances"))
                try Self.count(engine, all)
                try Self.expectRecording(engine)
                return "\(engine.statistics.segments) \(min(withTerm, 60)) \(min(withWord, 60))"
            }
        }

        @Test func `reads or names the damage whatever its journal says`() async throws {
            let base = try Self.empty()
            let made = [true, false].map { PlainJournal.made(isFinished: $0).input }
            try await Fuzzer(name: "journal", kind: .binary, made: made, tries: 400).run { input in
                let disk = base.afterPowerLoss(seed: 1)
                try disk.replace("h/journal/00000000000000000000.journal", with: PlainJournal.read(input).sealed())
                guard let engine = try Self.openUnlessDamaged(disk) else { return "shut" }
                defer { engine.close() }
                let end = engine.endSequence
                var read = 0
                for sequence in 0..<min(end, 2000) {
                    let record = try unlessRefused(LogEngineError.self) {
                        try unlessRefused(StoreDamage.self) { try engine.record(at: sequence) }
                    }
                    guard let record = record ?? nil else { continue }
                    try demand(record.sequence == sequence && record.bytes.count == record.count, "another record is read")
                    read += 1
                }
                let found = try Self.ask(engine, [])
                try Self.expectRecording(engine)
                return "\(min(end, 20)) \(min(read, 20)) \(min(found, 60)) \(engine.statistics.journals)"
            }
        }

        /// The first byte says which file, the rest is its content.
        @Test func `gives back what was recorded, or nothing, whatever became of a file`() async throws {
            let base = MemoryDisk()
            let bodies = (0..<60).map { number in
                #"{"eventId":"E-\#(number)-0123456789","requestId":"E-\#(number)-0123456789","#
                    + #""requestParameters":{"a":\#(number)},"requestParameterJson":"{\"a\":\#(number)}","filling":"filling"}"#
            }
            let engine = try Self.open(base, tailRows: 24)
            for start in stride(from: 0, to: 60, by: 3) { _ = try Self.commit(Array(bodies[start..<start + 3]), to: engine) }
            // Waits until the background has made its segments.
            engine.dropRecords(olderThan: .min)
            engine.close()
            let paths =
                try ["h/identity"]
                + ["h/journal/", "h/segments/"].flatMap { folder in
                    try base.list(String(folder.dropLast())).map { folder + $0 }
                }
            let made = try paths.enumerated().map { number, path in
                [UInt8(number)] + (try base.readAll(path, limit: 1 << 20) ?? [])
            }
            try await Fuzzer(name: "store", kind: .binary, made: made, tries: 300).run { input in
                let disk = base.afterPowerLoss(seed: 1)
                let path = paths[Int(input.first ?? 0) % paths.count]
                try disk.replace(path, with: Array(input.dropFirst()))
                guard let engine = try Self.openUnlessDamaged(disk, tailRows: 24) else { return "shut \(path)" }
                defer { engine.close() }
                var lost = 0
                for (sequence, body) in bodies.enumerated() {
                    let record = try unlessRefused(LogEngineError.self) {
                        try unlessRefused(StoreDamage.self) { try engine.record(at: UInt64(sequence)) }
                    }
                    guard let record = record ?? nil else {
                        lost += 1
                        continue
                    }
                    try demand(record.bytes == Array(body.utf8), "record \(sequence) is another one")
                }
                let hasher = engine.hasher(account: "anna")
                let found = try Self.ask(engine, [.init(field: 2, hash: hasher.hash(field: 2, value: "all"))])
                try Self.expectRecording(engine)
                return "\(path) \(lost) \(found)"
            }
        }

        /// The first byte says whether the rest is a dictionary, a book and plain content, or what is behind its file's seal:
        /// the size of that (4 bytes), and itself compressed.
        @Test func `compresses with any dictionary that it takes`() async throws {
            let base = try Self.empty()
            let content = Array(String(repeating: #"{"eventName":"DescribeInstances","serviceName":"Ecs"}"#, count: 9).utf8)
            let empty = PhraseBook(phrases: [], values: []).encoded
            let made: [[UInt8]] = [
                [0] + PhraseBook.fuzz.encoded + content, [0] + PhraseBook.fuzz.encoded, [0] + empty + content, [0] + empty,
                // What zstd takes for a dictionary that it made itself.
                [0] + empty + [0x37, 0xA4, 0x30, 0xEC] + content, [1] + Self.compressed(PhraseBook.fuzz.encoded + content),
            ]
            try await Fuzzer(name: "dictionary", kind: .binary, made: made, tries: 300).run { input in
                let disk = base.afterPowerLoss(seed: 1)
                let envelope = try FileEnvelope(magic: "CRNDICT2", key: ServiceKey.fuzz)
                let rest = Array(input.dropFirst())
                let file = (input.first ?? 0) % 2 == 0 ? Self.compressed(rest) : rest
                let sealed = [UInt8](envelope.seal(file, nonce: FileEnvelope.onlyNonce, authenticating: []))
                try disk.replace("h/dictionaries/1", with: envelope.header + sealed)
                let engine = try Self.open(disk)
                try Self.expectRecording(engine)
                let isTaken = engine.dictionaries.current != nil
                engine.close()
                let again = try Self.open(disk)
                try demand(
                    try again.record(at: 0).bytes == Array(Self.nextOne.utf8), "what was recorded cannot be read")
                again.close()
                return "\(isTaken)"
            }
        }

        /// Its size (4 bytes), then itself compressed.
        private static func compressed(_ raw: [UInt8]) -> [UInt8] {
            let size = withUnsafeBytes(of: UInt32(raw.count).littleEndian) { Array($0) }
            return size + raw.withUnsafeBytes { Zstd.compress($0, dictionary: nil) }
        }

        // MARK: Tree, quarantine, objects

        /// How much to keep (2 bytes), entries (2), bytes past the last entry (1), entries to add (1); the rest is the file of
        /// the first level.
        @Test func `of commitments goes on from any files it takes`() async throws {
            let made: [[UInt8]] = [[255, 255, 88, 2, 0, 9], [0, 1, 0, 1, 5, 60] + (0..<70).map { UInt8($0) }]
            try await Fuzzer(name: "tree", kind: .binary, made: made, tries: 400).run { input in
                let head = Array(input.prefix(6)) + [UInt8](repeating: 0, count: max(0, 6 - input.count))
                let kept = UInt64(head[0]) | UInt64(head[1]) << 8
                let count = (Int(head[2]) | Int(head[3]) << 8) % 1200
                func entry(_ number: Int) -> MerkleHash {
                    MerkleHash(bytes: (0..<32).map { UInt8(truncatingIfNeeded: number >> (8 * ($0 % 4))) })!
                }
                let disk = MemoryDisk()
                let entries = (0..<count).flatMap { entry($0).bytes }
                try disk.replace("tree/entries", with: entries + [UInt8](repeating: 1, count: Int(head[4] % 32)))
                let level = Array(input.dropFirst(6))
                if !level.isEmpty { try disk.replace("tree/level-1", with: level) }
                let opened = try unlessRefused(TreeError.self) { try TreeStore(folder: "tree", disk: disk, atMost: kept) }
                guard let tree = opened else { return "refused" }
                let size = min(UInt64(count), kept)
                try demand(tree.size == size, "the tree has another size than its files")
                try demand(try tree.entries(0..<size) == (0..<Int(size)).map(entry), "an entry is another one")
                var roots = 0
                for part in [1, size / 2, max(size, 1) - 1, size] where part > 0 && part <= size {
                    if try unlessRefused(TreeError.self, { try tree.root(size: part) }) != nil { roots += 1 }
                }
                for width in [1, 88, 256] {
                    for index in [0, 1, UInt64(head[5]) << 50, .max] as [UInt64] {
                        let tile = try tree.tile(level: Int(head[4] % 64), index: index, width: width)
                        try demand(tile == nil || tile?.count == width, "a tile has another width")
                    }
                }
                tree.append((0..<Int(head[5])).map { entry($0 + 7) })
                try tree.sync()
                let again = try TreeStore(folder: "tree", disk: disk, atMost: .max)
                try demand(
                    again.size == size + UInt64(head[5]) && again.root == tree.root, "the tree is another one the next time")
                return "\(size / 128) \(roots) \(head[5] == 0)"
            }
        }

        /// The first byte says whether the rest is a file's JSON or what is behind its seal.
        @Test func `of rejected records passes over what it cannot read`() async throws {
            let disk = MemoryDisk()
            let keys = try KeyService(metadata: Metadata(path: nil), rootKeyPath: "root.key", disk: disk)
            let quarantine = try Quarantine(folder: "q", disk: disk, keys: keys)
            let key = try keys.serviceKey("quarantine")
            let json = Array(
                (#"[{"account":"1","receivedAt":"2026-01-01T00:00:00Z","requestId":"r","source":"s","line":1,"#
                    + #""code":"c","message":"m","#
                    + #""record":"AAEC"}]"#).utf8)
            let made: [[UInt8]] = [[0] + json, [1] + Self.compressed(json)]
            let name = "0000001767225600000-r-00000000.rejected"
            try await Fuzzer(name: "quarantine", kind: .json, made: made, tries: 1000).run { input in
                let rest = Array(input.dropFirst())
                let isJSON = (input.first ?? 0) % 2 == 0
                let content = isJSON ? Self.compressed(rest) : rest
                let envelope = try FileEnvelope(magic: "CRNQRNT1", key: key)
                let sealed = [UInt8](envelope.seal(content, nonce: FileEnvelope.onlyNonce, authenticating: []))
                try disk.replace("q/" + name, with: envelope.header + sealed)
                let all = try quarantine.entries(account: "1", before: nil, limit: 100)
                try demand(all.entries.allSatisfy { $0.account == "1" }, "another account's record is shown")
                // A page may be asked for from anywhere.
                let text = String(decoding: rest.prefix(40), as: UTF8.self)
                for before in [text, name + "/" + text, name + "/9223372036854775806", name + "/-1", name] {
                    let page = try quarantine.entries(account: "1", before: before, limit: 1)
                    try demand(page.entries.count <= 1, "a page is larger than its limit")
                }
                return "\(min(all.entries.count, 5)) \(all.next == nil)"
            }
        }

        /// The first byte says which object, the rest is its file.
        @Test func `of objects gives back what was put, or names the damage`() async throws {
            let disk = MemoryDisk()
            let metadata = try Metadata(path: nil)
            let store = try EmbeddedObjectStore(
                folder: "objects", region: "local-1", disk: disk,
                keys: KeyService(metadata: metadata, rootKeyPath: "root.key", disk: disk), metadata: metadata,
                now: { Date(timeIntervalSince1970: 1_767_225_600) })
            _ = try store.createBucket("bucket", owner: "1")
            let content = (0..<700).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            var objects: [StoredObject] = []
            var paths: [String] = []
            for choice in [EncryptionChoice.aes256, .sm4] {
                var options = PutOptions()
                options.encryption = choice
                let key = choice.algorithm.rawValue
                let writer = try store.beginPut(bucket: "bucket", key: key, attributes: .init(), options: options)
                try content.withUnsafeBytes { try writer.append($0) }
                objects.append(try writer.finish(expectedMD5: nil, expectedCRC64: nil))
                let names = try disk.list("objects/bucket").map { "objects/bucket/" + $0 }
                paths = paths + names.filter { !paths.contains($0) }
            }
            let (kept, files) = (objects, paths)
            let originals = try files.map { try disk.readAll($0, limit: 1 << 20) ?? [] }
            let made = originals.enumerated().map { [UInt8($0)] + $1 }
            try await Fuzzer(name: "object", kind: .binary, made: made, tries: 1000).run { input in
                let number = Int(input.first ?? 0) % kept.count
                try disk.replace(files[number], with: Array(input.dropFirst()))
                var outcome = "\(number)"
                do {
                    let read = try await store.content(of: kept[number])
                    try demand(read == content, "other content comes back")
                    outcome += " whole"
                } catch let error as ObjectError {
                    guard case .objectDamaged(_, _, let offset) = error else { throw error }
                    try demand((0...700).contains(offset), "damage is named outside the object")
                    outcome += " damaged at \(offset)"
                }
                try disk.replace(files[number], with: originals[number])
                return outcome
            }
            store.close()
        }
    }
}
