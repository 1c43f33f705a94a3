// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Columns of a table on a screen of a certain width; cells that are too long are cut.
struct TextTable {
    /// Columns that a cell is cut to at least.
    private static let leastWidth = 6
    private static let gap = "  "

    private let widths: [Int]
    private let isCut: Bool

    /// - Parameters:
    ///   - wanted: the width that each column would like.
    ///   - screen: columns of the screen; nil cuts nothing.
    ///   - whole: a column that is not cut.
    init(wanted: [Int], screen: Int?, whole: Int? = nil) {
        isCut = screen != nil
        guard let screen else {
            widths = wanted
            return
        }
        func fitted(_ most: Int) -> [Int] { wanted.enumerated().map { $0 == whole ? $1 : min($1, most) } }
        let room = screen - Self.gap.count * (wanted.count - 1)
        // The widest give way first, all to the same width.
        var most = wanted.max() ?? 0
        while most > Self.leastWidth, fitted(most).reduce(0, +) > room { most -= 1 }
        widths = fitted(most)
    }

    /// A line of the table, without control characters; the last cell is not padded.
    func line(_ cells: [String]) -> String {
        cells.enumerated().map { index, cell in
            var cell = Self.plain(cell)
            if isCut { cell = Self.cut(cell, to: widths[index]) }
            let missing = index == cells.count - 1 ? 0 : max(0, widths[index] - Self.width(of: cell))
            return cell + String(repeating: " ", count: missing)
        }.joined(separator: Self.gap)
    }

    /// All of a table's lines.
    static func lines(_ header: [String], _ rows: [[String]], screen: Int?, whole: Int? = nil) -> [String] {
        let all = [header] + rows
        let wanted = header.indices.map { column in all.map { width(of: plain($0[column])) }.max() ?? 0 }
        let table = TextTable(wanted: wanted, screen: screen, whole: whole)
        return all.map(table.line)
    }

    static func plain(_ text: String) -> String {
        Terminal.harmless(text.replacing("\t", with: " ")).replacing("\n", with: " ")
    }

    static func cut(_ text: String, to width: Int) -> String {
        guard self.width(of: text) > width else { return text }
        var kept = ""
        var room = width - 1
        for character in text {
            room -= self.width(of: character)
            if room < 0 { break }
            kept.append(character)
        }
        return kept + "…"
    }

    static func width(of text: String) -> Int { text.reduce(0) { $0 + width(of: $1) } }

    /// Columns that a character takes: two for those of East Asian scripts and for pictures.
    private static func width(of character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first, scalar.value >= 0x1100 else { return 1 }
        return wide.contains { $0.contains(scalar.value) } ? 2 : 1
    }

    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
        0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD,
    ]
}

extension Terminal {
    /// Columns of the screen that standard output is; nil if it is none.
    static var screenWidth: Int? {
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
