// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Bounds and names of the journal's format, version 1. Source: docs/formats/journal.md.
enum JournalFormat {
    static let magic: StaticString = "CRNJRNL1"
    static let fileSuffix = ".journal"
    /// Added to the name of a file whose only frames were never acknowledged.
    static let tornSuffix = ".torn"

    /// Raw bytes in a frame: small enough that fetching one record is cheap, and with a dictionary no worse.
    static let frameRawTarget = 8 << 10
    /// A frame holds at least one record, and a record is at most 4 MiB.
    static let frameRawMaximum = 8 << 20
    /// zstd makes incompressible content larger by less than this.
    static let frameSealedMaximum = frameRawMaximum + frameRawMaximum / 128
    static let frameMagic: UInt32 = 0x314D_5246  // "FRM1"
    static let indexMagic: UInt32 = 0x3158_4449  // "IDX1"
    static let frameHeaderSize = 40
    static let nonceSize = 12
    static let tagSize = 16
    static let trailerMagic: UInt64 = 0x3144_4E45_4E4A_5243  // "CRJNEND1"
    static let trailerSize = 20

    static func fileName(firstSequence: UInt64) -> String {
        paddedNumber(firstSequence) + fileSuffix
    }

    static func firstSequence(ofFile name: String) -> UInt64? {
        guard name.hasSuffix(fileSuffix), name.utf8.count == 20 + fileSuffix.utf8.count else { return nil }
        return UInt64(name.dropLast(fileSuffix.count))
    }
}

/// Twenty digits, so that names sort as numbers do.
func paddedNumber(_ number: UInt64) -> String {
    let digits = String(number)
    return String(repeating: "0", count: 20 - digits.utf8.count) + digits
}

/// The plain 40 bytes in front of each frame, authenticated with it.
///
/// ```
/// magic u32 · sealed length u32 · records u32 · raw length u32 · first sequence u64 · recorded at i64 (ms) ·
/// dictionary u32 · place in commit u32
/// ```
/// followed by the nonce (12) and the sealed payload.
package struct FrameHeader {
    var magic = JournalFormat.frameMagic
    var sealedLength: UInt32
    var recordCount: UInt32
    var rawLength: UInt32
    var firstSequence: UInt64
    var recordedAt: Int64
    var dictionary: UInt32
    /// Bytes from the first frame of the same commit to this one; the highest bit is set in the commit's last frame.
    ///
    /// A commit is there as a whole or not at all: a crash may leave some of its frames, in any order.
    var placeInCommit: UInt32 = 0x8000_0000

    var bytesIntoCommit: UInt64 { UInt64(placeInCommit & 0x7FFF_FFFF) }
    var endsCommit: Bool { placeInCommit >> 31 == 1 }

    package var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.bytes.reserveCapacity(JournalFormat.frameHeaderSize)
        writer.put(magic)
        writer.put(sealedLength)
        writer.put(recordCount)
        writer.put(rawLength)
        writer.put(firstSequence)
        writer.put(recordedAt)
        writer.put(dictionary)
        writer.put(placeInCommit)
        return writer.bytes
    }
}

extension FrameHeader {
    package init(decoding bytes: UnsafeRawBufferPointer) throws(FormatError) {
        var reader = ByteReader(bytes)
        magic = try reader.get(UInt32.self)
        guard magic == JournalFormat.frameMagic || magic == JournalFormat.indexMagic else { throw .badMagic }
        sealedLength = try reader.get(UInt32.self)
        recordCount = try reader.get(UInt32.self)
        rawLength = try reader.get(UInt32.self)
        firstSequence = try reader.get(UInt64.self)
        recordedAt = try reader.get(Int64.self)
        dictionary = try reader.get(UInt32.self)
        placeInCommit = try reader.get(UInt32.self)
        guard sealedLength >= JournalFormat.tagSize, sealedLength <= JournalFormat.frameSealedMaximum,
            rawLength <= JournalFormat.frameRawMaximum,
            // Each record has some bytes of its own in the payload.
            magic == JournalFormat.indexMagic || recordCount > 0, recordCount <= rawLength,
            // No log comes to the last sequences.
            firstSequence <= UInt64(Int64.max)
        else { throw .badMagic }
    }

    /// Bytes of the whole frame on disk.
    var frameLength: UInt64 {
        UInt64(JournalFormat.frameHeaderSize + JournalFormat.nonceSize) + UInt64(sealedLength)
    }
}
