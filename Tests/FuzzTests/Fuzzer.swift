// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Every decoder of what comes from outside or from a disk, fed with what nobody would write.
///
/// One decoder after another, so that time and memory are its own. Each replays its folder of `Corpus/`, then tries
/// changed inputs: a fixed number of them, or as many as fit into `CAIRN_FUZZ_SECONDS`. The same seed
/// (`CAIRN_FUZZ_SEED`, 1 unless said) tries the same changes.
@Suite(.serialized) enum Fuzzing {}

/// A promise of a decoder that an input broke.
struct Broken: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

func demand(_ holds: Bool, _ promise: @autoclosure () -> String) throws {
    if !holds { throw Broken(promise()) }
}

/// What `body` gives; nil if it refuses as documented. Any other error passes through, and fails the input.
func unlessRefused<Value, Refusal: Error>(_ refusal: Refusal.Type, _ body: () throws -> Value) throws -> Value? {
    do { return try body() } catch is Refusal { return nil }
}

/// One decoder under test.
struct Fuzzer {
    /// Of the decoder, and of its folder in `Corpus/`.
    let name: String
    let kind: Mutator.Kind
    /// Inputs beside the corpus: those that are long, or sealed under fresh keys.
    var made: [[UInt8]] = []
    /// Changed inputs to try if no time is given.
    var tries = 1500
    var sizeLimit = 16 << 10

    private static let environment = ProcessInfo.processInfo.environment
    private static let seconds = environment["CAIRN_FUZZ_SECONDS"].flatMap { Double($0) }
    private static let seed = environment["CAIRN_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1

    /// No input of these sizes may take longer, even on a machine that is busy with other things.
    private static let slowest = Duration.seconds(20)
    /// Nor may one make the process grow by more: looked at in long runs only, when nothing else is running.
    private static let largestGrowth = 1 << 30

    /// - Parameter check: decodes the input and throws if a promise does not hold. What it gives back says in a few words
    ///   how the decoder took the input: one that was taken in a new way is changed further.
    func run(_ check: ([UInt8]) async throws -> String) async throws {
        let inputs = try Corpus.inputs(of: name) + made
        try #require(!inputs.isEmpty, "Corpus/\(name) is empty")
        let hand = try InputAtHand(name)
        defer { hand.finish() }
        var outcomes: Set<String> = []
        for input in inputs {
            guard let outcome = await judge(input, hand, check) else { return }
            outcomes.insert(outcome)
        }

        var pool = inputs
        var mutator = Mutator(
            kind: kind, sizeLimit: sizeLimit, random: SeededGenerator(state: Self.seed ^ Corpus.hash(Array(name.utf8))))
        let start = ContinuousClock.now
        let end = start + .seconds(Self.seconds ?? 1.5)
        var tried = 0
        while ContinuousClock.now < end, Self.seconds != nil || tried < tries {
            let input = mutator.input(from: pool)
            guard let outcome = await judge(input, hand, check) else { return }
            tried += 1
            guard outcomes.insert(outcome).inserted else { continue }
            if pool.count < 2000 { pool.append(input) } else { pool[mutator.below(pool.count)] = input }
        }
        if Self.seconds != nil { print("fuzz: \(name): \(tried) inputs, \(outcomes.count) outcomes, none broke a promise") }
    }

    /// The outcome; nil if a promise was broken, which is then recorded.
    private func judge(_ input: [UInt8], _ hand: InputAtHand, _ check: ([UInt8]) async throws -> String) async -> String? {
        hand.note(input)
        let memory = Self.seconds == nil ? 0 : Self.peakMemory
        let start = ContinuousClock.now
        var outcome: String?
        var fault: String?
        do { outcome = try await check(input) } catch { fault = "\(error)" }
        let elapsed = ContinuousClock.now - start
        if fault == nil, elapsed > Self.slowest { fault = "it took \(elapsed)" }
        if fault == nil, Self.seconds != nil, Self.peakMemory - memory > Self.largestGrowth {
            fault = "it took \((Self.peakMemory - memory) >> 20) MiB"
        }
        guard let fault else { return outcome }
        let path = hand.keep(input)
        Issue.record(
            """
            \(name): \(fault). The input, \(input.count) bytes, is in \(path). Once it is understood, keep it: \
            cp \(path) Tests/FuzzTests/Corpus/\(name)/what-it-shows.bin
            """)
        return nil
    }

    /// The most bytes the process ever had in memory.
    private static var peakMemory: Int {
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            return usage.ru_maxrss * 1024
        #else
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #endif
    }
}

/// The input that is being tried, in a file: a trap ends the process, and the file stays.
final class InputAtHand {
    private let folder: URL
    private let name: String
    private let path: String
    private let descriptor: Int32

    init(_ name: String) throws {
        self.name = name
        folder = FileManager.default.temporaryDirectory.appending(path: "cairn-fuzz")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.appending(path: "\(name)-\(ProcessInfo.processInfo.processIdentifier).current").path
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw Broken("cannot open \(path)") }
    }

    func note(_ input: [UInt8]) {
        _ = input.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        _ = ftruncate(descriptor, off_t(input.count))
    }

    /// Where the input stays.
    func keep(_ input: [UInt8]) -> String {
        let kept = folder.appending(path: "\(name)-\(String(Corpus.hash(input), radix: 16)).bin")
        try? Data(input).write(to: kept)
        return kept.path
    }

    func finish() {
        close(descriptor)
        unlink(path)
    }
}

/// Inputs that are replayed in every test run: a folder a decoder, a file an input.
///
/// A file whose name ends in `.hex` holds bytes in hexadecimal, where `;` begins a remark; any other is the input itself.
enum Corpus {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

    static func inputs(of name: String) throws -> [[UInt8]] {
        let folder = folder.appending(path: name)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { file in
            let content = [UInt8](try Data(contentsOf: folder.appending(path: file)))
            return file.hasSuffix(".hex") ? try bytes(hex: content, file) : content
        }
    }

    private static func bytes(hex content: [UInt8], _ file: String) throws -> [UInt8] {
        try String(decoding: content, as: UTF8.self).split(separator: "\n").flatMap { line in
            try line.prefix { $0 != ";" }.split(separator: " ").map { digits in
                guard let byte = UInt8(digits, radix: 16) else { throw Broken("\(file): \(digits) is not a byte") }
                return byte
            }
        }
    }

    /// FNV-1a, for names and seeds.
    static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
