// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import KeyManagement

/// The one writer of the journal's newest file.
///
/// Owned by the engine's commit path, one thread. After any failed write or sync the file is cut back to what is
/// known to be durable and given up: the next commit begins a new file, under a new key, so that no nonce and no
/// uncertain byte is ever reused.
final class JournalWriter {
    let reader: JournalFile
    private let file: any WritableFile
    private let envelope: FileEnvelope
    private var frames: [JournalFile.FrameLocation] = []
    private(set) var length: UInt64
    private(set) var endSequence: UInt64

    /// Makes the file, durably, before anything is acknowledged in it.
    init(
        folder: String, firstSequence: UInt64, disk: any Disk, key: any DataKeyWrapper, cache: BlockCache, number: UInt64
    ) throws {
        let path = folder + "/" + JournalFormat.fileName(firstSequence: firstSequence)
        envelope = try FileEnvelope(magic: JournalFormat.magic, key: key)
        // What a failed attempt left under this name holds nothing acknowledged: nothing is, from `firstSequence` on.
        // Should that ever be wrong, then here: only an empty file is deleted.
        if let size = try disk.size(of: path) {
            if size > UInt64(envelope.header.count) {
                try disk.rename(path, to: path + JournalFormat.tornSuffix)
            } else {
                try disk.remove(path)
            }
        }
        file = try disk.create(path)
        do {
            try file.append(envelope.header)
            try file.sync()
            try disk.syncDirectory(folder)
            reader = try JournalFile(
                path: path, firstSequence: firstSequence, disk: disk, envelope: envelope, cache: cache, number: number)
        } catch {
            // Left behind by a crash here: a file without records, which recovery removes.
            try? disk.remove(path)
            throw error
        }
        length = UInt64(envelope.header.count)
        endSequence = firstSequence
    }

    /// Writes frames and returns once they are on disk; on failure cuts the file back.
    func commit(_ prepared: [PreparedFrame], recordedAt: Int64) throws {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(prepared.reduce(0) { $0 + $1.compressed.count + 96 })
        var added: [JournalFile.FrameLocation] = []
        var sequence = endSequence
        for (index, frame) in prepared.enumerated() {
            let place = UInt32(bytes.count) | (index == prepared.count - 1 ? 0x8000_0000 : 0)
            let header = FrameHeader(
                sealedLength: UInt32(frame.compressed.count + JournalFormat.tagSize),
                recordCount: UInt32(frame.recordCount), rawLength: UInt32(frame.rawLength), firstSequence: sequence,
                recordedAt: recordedAt, dictionary: frame.dictionary, placeInCommit: place)
            added.append(
                .init(
                    firstSequence: sequence, offset: length + UInt64(bytes.count), length: UInt32(header.frameLength)))
            seal(header, frame.compressed, into: &bytes)
            sequence += UInt64(frame.recordCount)
        }
        do {
            try file.append(bytes)
            try file.sync()
        } catch {
            try? file.truncate(to: length)
            throw error
        }
        length += UInt64(bytes.count)
        endSequence = sequence
        frames += added
        reader.extend(added, endSequence: sequence)
    }

    /// Ends the file with an index of its frames. Without it (a crash here, a full disk) the file is walked instead.
    func finish() {
        let index = JournalFile.encodedIndex(frames)
        let compressed = index.withUnsafeBytes { Zstd.compress($0, dictionary: nil) }
        let header = FrameHeader(
            magic: JournalFormat.indexMagic, sealedLength: UInt32(compressed.count + JournalFormat.tagSize),
            recordCount: 0, rawLength: UInt32(index.count), firstSequence: endSequence, recordedAt: 0, dictionary: 0)
        var bytes: [UInt8] = []
        seal(header, compressed, into: &bytes)
        var trailer = ByteWriter()
        trailer.put(length)
        trailer.put(FileEnvelope.checksum(trailer.bytes))
        trailer.put(JournalFormat.trailerMagic)
        do {
            try file.append(bytes + trailer.bytes)
            try file.sync()
            reader.finished()
        } catch {
            try? file.truncate(to: length)
        }
        file.close()
    }

    private func seal(_ header: FrameHeader, _ compressed: [UInt8], into bytes: inout [UInt8]) {
        let nonce = AES.GCM.Nonce()
        let encoded = header.encoded
        bytes += encoded
        bytes += nonce
        bytes += envelope.seal(compressed, nonce: nonce, authenticating: encoded)
    }
}
