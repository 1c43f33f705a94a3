// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Bounds and names of the segment format, version 2: the index of a run of records whose bytes stay in the
/// journal. Source: docs/formats/segment.md.
///
/// ```
/// envelope · blocks … · footer block · trailer
/// block   = AES-GCM( zstd( payload ) ), nonce = the block's number
/// trailer = footer offset u64 · sealed length u32 · raw length u32 · block number u32 · CRC-32 u32 · magic u64
/// ```
/// Rows are ranked by (time, sequence). A term is a field and the upper 40 bits of its value's hash; what a lookup
/// finds is compared with the record itself, so a rare collision costs a read and nothing else.
enum SegmentFormat {
    static let magic: StaticString = "CRNSEGM2"
    static let trailerMagic: UInt64 = 0x3144_4E45_4753_5243  // "CRSGEND1"
    static let trailerSize = 32
    static let fileSuffix = ".segment"

    /// Rows in one block of the row columns.
    static let rowBlock = 4096
    /// Term blocks are cut after this many raw bytes.
    static let termBlockTarget = 16 << 10
    /// Longer lists of rows go to blocks of their own, of this many rows each.
    static let postingChunk = 8192
    /// Bits of one filter page and of filter a key; seven probes give one false hit in 300.
    static let filterPageBits = 1 << 18
    static let filterBitsPerKey = 12
    static let filterProbes = 7
    /// Merging stops here: 4 Mi rows.
    static let mergeLimit = 1 << 22
    static let mergeFanIn = 8
    /// No block is larger before it is compressed.
    static let blockRawLimit = 64 << 20

    enum BlockKind: UInt8 { case rows = 1, terms, postings, filter, footer, words }

    static func fileName(first: UInt64, end: UInt64) -> String {
        "\(paddedNumber(first))-\(paddedNumber(end))\(fileSuffix)"
    }

    static func range(ofFile name: String) -> Range<UInt64>? {
        guard name.hasSuffix(fileSuffix) else { return nil }
        let parts = name.dropLast(fileSuffix.count).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = UInt64(parts[0]), let end = UInt64(parts[1]), first < end else { return nil }
        return first..<end
    }

    /// The 48 bits by which terms are ordered: field, then the upper 40 bits of the hash.
    static func termKey(field: UInt8, hash: UInt64) -> UInt64 {
        UInt64(field) << 40 | hash >> 24
    }

    /// The last of all fields: words, whose lists are of blocks of rows, not of rows.
    static let wordField: UInt8 = .max
    /// The list of blocks that may have any word.
    static let anyWord: UInt32 = 0

    static func wordKey(_ hash: UInt32) -> UInt64 { UInt64(wordField) << 40 | UInt64(hash) }
}

/// Where a block is and what it begins with.
struct BlockEntry {
    var kind: SegmentFormat.BlockKind
    var offset: UInt64
    var sealedLength: UInt32
    var rawLength: UInt32
    /// rows: time of the first row; terms: key of the first term; postings: first row; filter: page number.
    var first: Int64
    /// postings: last row.
    var last: Int64
}

/// What a segment says of itself.
struct SegmentSummary {
    var firstSequence: UInt64
    var rowCount: Int
    var times: ClosedRange<Int64>
    /// The latest of each record's own time and its recording; retention counts from it.
    var retentionBasis: Int64
    /// Hash of the account if all rows are of one, else 0.
    var soleAccount: UInt64

    var endSequence: UInt64 { firstSequence + UInt64(rowCount) }
}
