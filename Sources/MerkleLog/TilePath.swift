// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The place of one published tile: 256 hashes or entries side by side, or fewer at the edge of the tree.
///
/// - Shape: the text after `tile/`: `<L>/<N>` or `entries/<N>`, then `.p/<W>` for a partial tile; N in groups of
///   three digits, all but the last marked `x` (1234067 is `x001/x234/067`).
/// - Source: C2SP tlog-tiles v0.1.0, read 2026-07-22.
public struct TilePath: Sendable, Hashable {
    /// What a tile holds.
    public enum Kind: Sendable, Hashable {
        /// Hashes of tile level 0...63; tile level L is tree level 8 · L.
        case hashes(level: Int)
        /// The entries themselves, an entry bundle.
        case entries
    }

    /// The number of hashes or entries in a full tile.
    public static let fullWidth = 256

    /// What the tile holds.
    public let kind: Kind
    /// The tile's position on its level.
    public let index: UInt64
    /// The number of hashes or entries, 1...256; below 256 the tile is partial.
    public let width: Int

    /// Names a tile; `nil` if the level is outside 0...63 or the width outside 1...256.
    public init?(kind: Kind, index: UInt64, width: Int = TilePath.fullWidth) {
        if case .hashes(let level) = kind, !(0...63).contains(level) { return nil }
        guard (1...Self.fullWidth).contains(width) else { return nil }
        self.kind = kind
        self.index = index
        self.width = width
    }

    /// Reads the text after `tile/`; `nil` for anything but the one spelling that `path` writes.
    public init?(path: String) {
        guard path.utf8.count <= 64 else { return nil }
        var parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)[...]
        guard let first = parts.popFirst(), !parts.isEmpty else { return nil }
        let kind: Kind
        if first.elementsEqual("entries".utf8) {
            kind = .entries
        } else {
            guard let level = UInt64(strictDecimal: first), level <= 63 else { return nil }
            kind = .hashes(level: Int(level))
        }

        var width = Self.fullWidth
        if parts.count >= 2, parts[parts.endIndex - 2].suffix(2).elementsEqual(".p".utf8), let last = parts.popLast() {
            guard let number = UInt64(strictDecimal: last), (1..<UInt64(Self.fullWidth)).contains(number),
                let marked = parts.popLast()
            else { return nil }
            width = Int(number)
            parts.append(marked.dropLast(2))
        }

        guard let index = Self.index(groups: Array(parts)) else { return nil }
        self.init(kind: kind, index: index, width: width)
    }

    /// The text after `tile/`.
    public var path: String {
        let first =
            switch kind {
            case .hashes(let level): String(level)
            case .entries: "entries"
            }
        var groups = Self.digits(index % 1000)
        var rest = index / 1000
        while rest > 0 {
            groups = "x\(Self.digits(rest % 1000))/\(groups)"
            rest /= 1000
        }
        let partial = width < Self.fullWidth ? ".p/\(width)" : ""
        return "\(first)/\(groups)\(partial)"
    }

    /// The number of hashes in the partial tile at the right edge of a tile level; 0 when there is none.
    ///
    /// - Shape: floor(size / 256^level) mod 256. Entry bundles go by level 0.
    public static func partialWidth(level: Int, size: UInt64) -> Int {
        Int(count(level: level, size: size) % UInt64(fullWidth))
    }

    /// Whether a tree of this size fixes everything in the tile, so that it can be served and never change.
    public func exists(inTreeOfSize size: UInt64) -> Bool {
        let level =
            switch kind {
            case .hashes(let level): level
            case .entries: 0
            }
        let count = Self.count(level: level, size: size)
        let fullTiles = count / UInt64(Self.fullWidth)
        return index < fullTiles || (index == fullTiles && UInt64(width) <= count % UInt64(Self.fullWidth))
    }

    /// How many hashes a tile level has; a tree of 64-bit size has none from level 8 on.
    private static func count(level: Int, size: UInt64) -> UInt64 {
        (0...7).contains(level) ? size >> UInt64(8 * level) : 0
    }

    private static func digits(_ group: UInt64) -> String {
        let text = String(group)
        return String(repeating: "0", count: 3 - text.utf8.count) + text
    }

    private static func index(groups: [Substring.UTF8View]) -> UInt64? {
        guard !groups.isEmpty else { return nil }
        var index: UInt64 = 0
        for (position, group) in groups.enumerated() {
            var digits = group
            if position < groups.count - 1 {
                guard digits.popFirst() == UInt8(ascii: "x") else { return nil }
            }
            guard digits.count == 3 else { return nil }
            for digit in digits {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
                let (shifted, overflow) = index.multipliedReportingOverflow(by: 10)
                let (sum, carry) = shifted.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
                guard !overflow, !carry else { return nil }
                index = sum
            }
            // A leading group of zeros would be a second spelling of the same number.
            guard position > 0 || groups.count == 1 || index > 0 else { return nil }
        }
        return index
    }
}
