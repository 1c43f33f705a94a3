// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import TestSupport
import Testing

/// Whatever is asked, there is an answer or a refusal, soon, and the same one for every shape of the rows.
@Suite struct `Changed SQL` {
    private static let corpus: [String] = {
        let expressions = Array(`A function of SQL`.all.map(\.0))
        let aggregates = `An aggregate of SQL`.values.map {
            "SELECT name, \($0.0) FROM (SELECT name AS g, n AS x, r AS y, tags AS t, name FROM log) GROUP BY name"
        }
        let clauses = [`A clause of SQL`.cases, `A clause of SQL`.series, `A clause of SQL`.comparisons].joined().map(\.0)
        return expressions.map { "SELECT \($0), name FROM log WHERE n < 5" } + aggregates + clauses
            + `A query of the vendor's`.cases.map(\.0)
    }()

    /// Words, quoted texts and single signs.
    private static func pieces(_ sql: String) -> [String] {
        var pieces: [String] = []
        var quote: Character?
        for character in sql {
            if let open = quote {
                pieces[pieces.count - 1].append(character)
                if character == open { quote = nil }
            } else if character == "'" || character == "\"" {
                quote = character
                pieces.append(String(character))
            } else if let last = pieces.last?.last, (character.isLetter || character.isNumber) && (last.isLetter || last.isNumber)
            {
                pieces[pieces.count - 1].append(character)
            } else {
                pieces.append(String(character))
            }
        }
        return pieces
    }

    private static func changed(_ random: inout SeededGenerator) -> String {
        var parts = pieces(random.pick(corpus))
        let others = pieces(random.pick(corpus))
        for _ in 0...random.below(4) where !parts.isEmpty {
            let place = random.below(parts.count)
            switch random.below(7) {
            case 0: parts.remove(at: place)
            case 1: parts.insert(parts[place], at: random.below(parts.count))
            case 2: parts[place] = random.pick(others)
            case 3: parts.swapAt(place, random.below(parts.count))
            case 4:
                let start = random.below(others.count)
                parts.insert(contentsOf: others[start..<min(others.count, start + 1 + random.below(12))], at: place)
            case 5:
                let edges = [
                    "9223372036854775807", "-1", "0", "NULL", "''", "1e308", "array[]", "(", ")", "*", "*", "%", "'\\'", "n",
                    "name", "x -> x", "tags", "r",
                ]
                parts[place] = random.pick(edges)
            default: parts.removeSubrange(place..<min(parts.count, place + 1 + random.below(6)))
            }
        }
        return parts.joined()
    }

    @Test(arguments: 1...10) func `is answered or refused`(seed: Int) throws {
        var random = SeededGenerator(state: UInt64(seed + 1000) &* 0x9E37_79B9_7F4A_7C15)
        var limits = SQLLimits()
        limits.duration = .seconds(2)
        limits.memoryBytes = 32 << 20
        for _ in 0..<250 {
            let sql = Self.changed(&random)
            let begin = ContinuousClock.now
            do {
                _ = try `A clause of SQL`.rows.ask(sql, limits: limits)
            } catch let error as LogServiceError {
                #expect(error.status == 400 && error.message.contains("ErrorMessage:"), "seed \(seed): \(sql)")
            } catch let difference as SQLRows.Difference {
                // Chance, and which of several rows comes first, may differ.
                let isFree = ["rand", "arbitrary", "any_value", "_by", "LIMIT", "limit", "OVER", "[", "array_agg", "map"].contains
                { sql.contains($0) }
                let sorted = difference.answers.map { $0.rows.map { $0.joined(separator: "|") }.sorted() }
                #expect(isFree || sorted.allSatisfy { $0 == sorted[0] }, "seed \(seed): \(sql)")
            }
            #expect(ContinuousClock.now - begin < .seconds(15), "seed \(seed): \(sql)")
        }
    }
}
