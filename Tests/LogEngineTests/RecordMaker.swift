// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogEngine

/// Makes the records of a random program, and the questions that have a chance to find them.
///
/// What each field is drawn from is decided once a program: few values, many, or one that nearly every record has.
struct RecordMaker {
    private static let day: Int64 = 86_400_000

    let accounts: [String]
    private let colours: [String]
    private let tags: [String]
    private let tagCounts: [Int]
    private let isCrowdedInTime: Bool
    /// Words a record is filled with; many of them make dictionaries.
    private let wordLimit: Int

    init(_ random: inout Seeded) {
        accounts = Array(["anna", "bert", "carl"].prefix(1 + random.below(3)))
        let colourings: [[String]] = [
            ["red", "blue", ""], Self.numbered("c", 400), Array(repeating: "red", count: 30) + ["blue"], [""],
        ]
        colours = colourings[random.below(colourings.count)]
        let taggings: [[String]] = [
            Self.numbered("t", 5), Self.numbered("t", 900), Array(repeating: "t1", count: 12) + Self.numbered("t", 40),
        ]
        tags = taggings[random.below(taggings.count)]
        let counts: [[Int]] = [[0, 1, 1, 2, 4], [1], [0, 0, 0, 30], [3, 5]]
        tagCounts = counts[random.below(counts.count)]
        isCrowdedInTime = random.below(2) == 0
        wordLimit = [8, 8, 8, 60, 900][random.below(5)]
    }

    private static func numbered(_ letter: String, _ count: Int) -> [String] { (0..<count).map { "\(letter)\($0)" } }

    func row(number: Int, now: Int64, log: NaiveLog, _ random: inout Seeded) -> NaiveLog.Row {
        let account = accounts[random.below(accounts.count)]
        var unique = "u\(number)"
        if !log.held.isEmpty && random.below(10) == 0 {
            // Known already, in this account or in another.
            unique = log.rows[log.first + random.below(log.held.count)].record.unique
        }
        let isKnown = log.held.contains { log.rows[$0].record.unique == unique && log.rows[$0].record.account == account }
        let record = SampleRecord(
            account: account, time: time(now: now, log: log, &random), unique: unique,
            colour: colours[random.below(colours.count)],
            tags: (0..<tagCounts[random.below(tagCounts.count)]).map { _ in tags[random.below(tags.count)] },
            filling: filling(number: number, &random))
        return NaiveLog.Row(
            record: record, recordedAt: now, flags: isKnown ? .conflict : [],
            digest: random.below(5) == 0 ? (random.next(), random.next()) : nil)
    }

    private func time(now: Int64, log: NaiveLog, _ random: inout Seeded) -> Int64 {
        if isCrowdedInTime && random.below(5) > 0 { return now / 200 * 200 }
        switch random.below(16) {
        case 0..<5: return now
        case 5..<8: return now - Int64(random.below(300))
        case 8, 9:
            // The very time of another, which may be in another segment by now, or one beside it.
            guard !log.rows.isEmpty else { return now }
            let time = log.rows[random.below(log.rows.count)].record.time
            return time &+ (time > .min && time < .max ? Int64(random.below(3)) - 1 : 0)
        case 10: return now - Int64(random.below(100)) * Self.day
        case 11: return now + Int64(random.below(900))
        case 12: return now + Int64(random.below(4)) * Self.day / 2
        case 13: return now + 400 * Self.day
        case 14:
            let extremes: [Int64] = [Int64.min, Int64.max, 0, -1, Int64.min + 1, Int64.max - 1]
            return extremes[random.below(extremes.count)]
        default: return now
        }
    }

    private func filling(number: Int, _ random: inout Seeded) -> String {
        switch random.below(8) {
        case 0..<4: return String(repeating: "x", count: random.below(60))
        case 4:
            // Says twice what records say twice.
            let object = #"{"Name":"n\#(random.below(50))","Note":"a \"quoted\" word","Zone":"z"}"#
            let text = object.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
            let id = "0000-\(number)-madeup"
            return #"{"eventId":"\#(id)","requestId":"\#(id)","requestParameterJson":"\#(text)","requestParameters":\#(object)}"#
        default: return (0..<random.below(wordLimit)).map { _ in "word\(random.below(5000))" }.joined(separator: " ")
        }
    }

    // MARK: Questions

    func question(now: Int64, log: NaiveLog, _ random: inout Seeded) -> Question {
        let known = log.rows.isEmpty ? nil : log.rows[random.below(log.rows.count)]
        var question = Question(account: (accounts + ["dora"])[random.below(accounts.count + 1)])
        if random.below(2) == 0, let known { question.account = known.record.account }
        for _ in 0..<[0, 0, 1, 1, 2, 3, 4][random.below(7)] {
            switch random.below(5) {
            case 0: question.terms.append((SampleRecord.colour, colours[random.below(colours.count)]))
            case 1: question.terms.append((SampleRecord.tag, tags[random.below(tags.count)]))
            case 2: question.terms.append((SampleRecord.tag, ["t1", "t900"][random.below(2)]))
            default:
                // Several terms of one record find it, and those like it.
                if let known { question.terms.append(known.terms[random.below(known.terms.count)]) }
            }
        }
        if random.below(2) == 0 {
            let (one, two) = (moment(now: now, log: log, &random), moment(now: now, log: log, &random))
            question.times = random.below(8) == 0 ? one...one : min(one, two)...max(one, two)
        }
        question.direction = random.below(2) == 0 ? .oldestFirst : .newestFirst
        if random.below(3) == 0 {
            var after = LogPosition(
                time: moment(now: now, log: log, &random),
                sequence: [0, UInt64(random.below(log.rows.count + 1)), .max][random.below(3)])
            if random.below(2) == 0 && !log.rows.isEmpty {
                after = log.position(random.below(log.rows.count))
                switch random.below(6) {
                case 0: after.sequence = after.sequence &- (after.sequence > 0 ? 1 : 0)
                case 1: after.sequence += 1
                case 2: after.sequence = .max
                case 3: after.sequence = 0
                default: break
                }
            }
            question.after = after
        }
        return question
    }

    /// A time at which something may begin or end.
    private func moment(now: Int64, log: NaiveLog, _ random: inout Seeded) -> Int64 {
        switch random.below(10) {
        case 0: return .min
        case 1: return .max
        case 2: return now
        case 3: return now - Int64(random.below(2000))
        default:
            guard !log.rows.isEmpty else { return now }
            let time = log.rows[random.below(log.rows.count)].record.time
            return time > .min && time < .max - 1 ? time + Int64(random.below(3)) - 1 : time
        }
    }
}
