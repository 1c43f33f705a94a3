// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogEngine

/// Makes records in which words stand wherever JSON has room for them.
struct WordMaker {
    private static let colours = ["red", "green", "blue", nil]

    let accounts: [String]

    func record(_ number: Int, _ random: inout Seeded) -> WordRecord {
        let id = Self.id(number, &random)
        var members = [
            Self.numbers(&random), Self.texts(number, &random), Self.within(&random),
            #""requestId":"\#(Self.other(id, &random))""#,
        ]
        members += Self.parameters(number, &random)
        members.shuffle(using: &random)
        let split = random.below(members.count + 1)
        return WordRecord(
            account: accounts[random.below(accounts.count)], eventId: id, time: Int64(number / 20 * 10 + random.below(40)),
            colour: Self.colours[random.below(4)], tags: (0..<random.below(4)).map { _ in "t\(random.below(6))" },
            before: members[..<split].joined(separator: ","), after: members[split...].joined(separator: ","))
    }

    /// Ids that a store leaves out of its words, and some that it does not.
    private static func id(_ number: Int, _ random: inout Seeded) -> String {
        let made = uuid(&random)
        switch random.below(5) {
        case 0, 1: return made
        case 2: return made.lowercased()
        case 3: return String(made.prefix(18)) + made.suffix(18).lowercased()
        default: return "id-\(number)"
        }
    }

    private static func uuid(_ random: inout Seeded) -> String {
        let digits = Array("0123456789ABCDEF")
        return [8, 4, 4, 4, 12].map { count in String((0..<count).map { _ in digits[random.below(16)] }) }.joined(separator: "-")
    }

    /// The record's own id once more, or another.
    private static func other(_ id: String, _ random: inout Seeded) -> String {
        switch random.below(3) {
        case 0: id
        case 1: uuid(&random)
        default: uuid(&random).lowercased()
        }
    }

    private static func word(_ random: inout Seeded) -> String {
        switch random.below(9) {
        case 0..<4: "word\(random.below(60))"
        case 4, 5: "Seldom\(random.below(3000))"
        case 6: "UPPER-\(random.below(40))"
        case 7: "a.b_\(random.below(9))*c"
        default: "中文é"
        }
    }

    private static func numbers(_ random: inout Seeded) -> String {
        let number = random.below(5000)
        let forms = ["-\(number)", "\(number % 9).5e+10", "1E\(number % 9)", "\(number)", "true", "null"]
        let form = forms[random.below(forms.count)]
        return #""count\#(number % 3)":\#(form),"list":[\#(random.below(70)),{"x":[]},-\#(number % 3)]"#
    }

    private static func texts(_ number: Int, _ random: inout Seeded) -> String {
        let words = (0..<random.below(12)).map { _ in word(&random) }.joined(separator: [" ", ", ", "/", "@"][random.below(4)])
        return #""text":"\#(words)","key\#(number % 50)":"","agent":"Mozilla/5.0 (made up; rv:\#(random.below(30)))""#
    }

    /// An id under the same key, but of another object.
    private static func within(_ random: inout Seeded) -> String {
        let id = uuid(&random)
        let key = random.below(4) == 0 ? "key\(random.below(900))" : "inner"
        switch random.below(4) {
        case 0: return #""\#(key)":{"eventId":"\#(id)","a}{b":1}"#
        case 1: return #""\#(key)":[[{"eventId":"\#(id.lowercased())"}],{"eventId":"none"}]"#
        case 2: return #""\#(key)":{"more":{"x":1,"eventId":"\#(id)"}}"#
        default: return #""\#(key)":"plain""#
        }
    }

    /// Parameters as an object and as a text of it, which may be cut, or say something else.
    private static func parameters(_ number: Int, _ random: inout Seeded) -> [String] {
        let objects = [
            #"{"Path":"C:\\dir\\File\#(number)","Note":"line\nnext\#(random.below(40)) \"quoted\" \u4e2dtail","Flag":true}"#,
            #"{"InstanceId":"i-\#(number % 300)","Zone":"z\#(random.below(9))","eventId":"\#(uuid(&random))"}"#,
            #"{"Port":\#(random.below(65_000)),"Cidr":"10.0.\#(number % 250).0/24","Names":["\#(word(&random))","B"]}"#,
        ]
        let object = objects[random.below(3)]
        let text: String
        switch random.below(6) {
        case 0: text = WordRecord.escaped(object.prefix(12 + random.below(object.count - 12)))
        case 1: text = "nothing of it but \(word(&random))"
        default: text = WordRecord.escaped(object)
        }
        let parts = [#""requestParameters":\#(object)"#, #""requestParameterJson":"\#(text)""#]
        return random.below(9) == 0 ? [parts[random.below(2)]] : parts
    }
}
