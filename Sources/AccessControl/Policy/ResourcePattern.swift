// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A pattern of resources. Source: ram.md section 4.
///
/// With five parts it is compared part by part, each with its own `*` and `?`, and an empty part fits anything. With
/// fewer (`*`, `acs:oss:*`) it is one pattern over the whole name.
struct ResourcePattern: Sendable {
    private var isWhole: Bool
    private var whole: PatternTable.Pattern
    private var service: PatternTable.Pattern
    private var region: PatternTable.Pattern
    private var account: PatternTable.Pattern
    private var relative: PatternTable.Pattern
    /// For names of roles, which compare without regard to case.
    private var folded: PatternTable.Pattern

    init(_ text: String, in table: inout PatternTable) {
        let anything = PatternTable.Pattern(form: .anything, start: 0, count: 0)
        (whole, service, region, account, relative, folded) = (anything, anything, anything, anything, anything, anything)
        guard let parts = ResourceName.parts(of: Array(text.utf8)) else {
            isWhole = true
            whole = table.add(text)
            return
        }
        isWhole = false
        func part(_ range: Range<Int>) -> String {
            String(decoding: Array(text.utf8)[range], as: UTF8.self)
        }
        func add(_ part: String, _ table: inout PatternTable) -> PatternTable.Pattern {
            part.isEmpty ? anything : table.add(part)
        }
        service = add(part(parts.service), &table)
        region = add(part(parts.region), &table)
        account = add(part(parts.account), &table)
        let name = part(parts.relative)
        relative = add(name, &table)
        folded = name.asciiLowercased().hasSameBytes(as: name) ? relative : add(name.asciiLowercased(), &table)
    }

    func matches(_ question: Question, in table: PatternTable) -> Bool {
        let text = question.resource.span
        if isWhole { return table.matches(whole, text) }
        guard let parts = question.parts else { return false }
        return table.matches(service, text.extracting(parts.service))
            && table.matches(region, text.extracting(parts.region))
            && table.matches(account, text.extracting(parts.account))
            && (question.isRole
                ? table.matches(folded, question.foldedResource.span.extracting(parts.relative))
                : table.matches(relative, text.extracting(parts.relative)))
    }
}

/// `acs:service:region:account:relative-id`.
enum ResourceName {
    struct Parts: Sendable {
        var service: Range<Int>
        var region: Range<Int>
        var account: Range<Int>
        var relative: Range<Int>
    }

    /// Nil unless it begins with `acs:` and has four colons.
    static func parts(of name: [UInt8]) -> Parts? {
        guard name.starts(with: "acs:".utf8) else { return nil }
        var ends: [Int] = []
        for (place, byte) in name.enumerated().dropFirst(4) where byte == Ascii.colon {
            ends.append(place)
            if ends.count == 3 { break }
        }
        guard ends.count == 3 else { return nil }
        return Parts(
            service: 4..<ends[0], region: (ends[0] + 1)..<ends[1], account: (ends[1] + 1)..<ends[2],
            relative: (ends[2] + 1)..<name.count)
    }
}
