// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import KeyManagement
import Synchronization

/// One file of the journal: the records themselves, written once, read for ever.
///
/// The file being written and the finished ones are the same type: only ``JournalWriter`` knows more. Owned by the
/// engine's view; the frame index of a finished file is read when needed and kept in the shared cache, so that memory
/// does not grow with the number of files.
final class JournalFile: Sendable {
    struct FrameLocation {
        var firstSequence: UInt64
        var offset: UInt64
        var length: UInt32
    }

    private struct State {
        /// Of the file being written, and of one that was never finished once it was walked.
        var frames: [FrameLocation]?
        /// One past the last sequence; records at or past it are a tail that was never acknowledged.
        var endSequence: UInt64?
    }

    let path: String
    let firstSequence: UInt64
    let number: UInt64
    private let file: any ReadableFile
    private let cache: BlockCache
    private let envelope: FileEnvelope
    /// Why nothing in this file can be read, if its header is damaged; its records still count.
    let headerDamage: StoreDamage?
    private let state: Mutex<State>

    /// Opens an existing file; reads its envelope only.
    init(
        path: String, firstSequence: UInt64, endSequence: UInt64?, disk: any Disk, key: any DataKeyWrapper, cache: BlockCache,
        number: UInt64
    ) throws {
        self.path = path
        self.cache = cache
        self.firstSequence = firstSequence
        self.number = number
        file = try disk.openForReading(path)
        let prefix = try file.read(count: Int(min(file.size, UInt64(FileEnvelope.maximumSize))), at: 0)
        do {
            envelope = try FileEnvelope(reading: prefix, magic: JournalFormat.magic, key: key)
            headerDamage = nil
        } catch let error as FormatError {
            let damage = StoreDamage(path: path, offset: 0, reason: error)
            // Frames come only after a whole header is durable: without any there is nothing to stand for.
            guard prefix.count > FileEnvelope.usualSize || endSequence != nil else { throw damage }
            headerDamage = damage
            envelope = try FileEnvelope(magic: JournalFormat.magic, key: key)
        }
        state = Mutex(State(frames: nil, endSequence: endSequence))
    }

    /// The reading side of a file that was just made.
    init(path: String, firstSequence: UInt64, disk: any Disk, envelope: FileEnvelope, cache: BlockCache, number: UInt64) throws {
        self.path = path
        self.cache = cache
        self.firstSequence = firstSequence
        self.number = number
        self.envelope = envelope
        headerDamage = nil
        file = try disk.openForReading(path)
        state = Mutex(State(frames: [], endSequence: firstSequence))
    }

    var size: UInt64 { get throws { try file.size } }
    var endSequence: UInt64? { state.withLock { $0.endSequence } }

    /// Called by the writer once the frames are durable.
    func extend(_ frames: [FrameLocation], endSequence: UInt64) {
        state.withLock {
            $0.frames?.append(contentsOf: frames)
            $0.endSequence = endSequence
        }
    }

    /// Called by the writer once the index is durable, from which the frames can be had again.
    func finished() { state.withLock { $0.frames = nil } }

    /// Takes over what a walk found, or where an index says that the file ends: what lies past it was never
    /// acknowledged.
    func adopt(_ frames: [FrameLocation]?, endSequence: UInt64) {
        state.withLock { $0 = State(frames: frames, endSequence: endSequence) }
    }

    /// The first sequence after `sequence` that begins a frame.
    func nextFrame(after sequence: UInt64) throws -> UInt64? {
        try withFrames { frames, end in
            frames.first { $0.firstSequence > sequence && $0.firstSequence < end ?? 0 }?.firstSequence
        }
    }

    // MARK: Reading

    /// The last frame that begins at or before `sequence`; nil if the file does not cover it.
    ///
    /// - Throws: ``StoreDamage`` if the frame that should hold it is not to be found.
    func location(of sequence: UInt64) throws -> FrameLocation? {
        guard let end = endSequence, sequence >= firstSequence, sequence < end else { return nil }
        if let headerDamage { throw headerDamage }
        return try withFrames { frames, _ in
            var low = 0
            var high = frames.count
            while low < high {
                let middle = (low + high) / 2
                if frames[middle].firstSequence <= sequence { low = middle + 1 } else { high = middle }
            }
            guard low > 0 else {
                throw StoreDamage(path: path, offset: UInt64(envelope.header.count), reason: .notAuthentic)
            }
            return frames[low - 1]
        }
    }

    private final class FrameIndex: Sendable {
        let frames: [FrameLocation]
        init(frames: [FrameLocation]) { self.frames = frames }
    }

    /// Looks at the frames of an unfinished file in place, so that the writer's next append need not copy them.
    private func withFrames<Result: Sendable>(_ body: ([FrameLocation], _ endSequence: UInt64?) throws -> Result) throws -> Result
    {
        func inPlace() throws -> Result? {
            try state.withLock { state in try state.frames.map { try body($0, state.endSequence) } }
        }
        if let result = try inPlace() { return result }
        // No frame begins at this offset.
        let key = BlockCache.Key(file: number, offset: .max)
        do {
            let index = try cache.value(key) {
                guard let frames = try readIndex()?.frames else { throw NeverFinished() }
                return (FrameIndex(frames: frames), cost: frames.count * MemoryLayout<FrameLocation>.stride + 64)
            }
            return try body(index.frames, endSequence)
        } catch is NeverFinished {
            let frames = try walk().frames
            state.withLock { $0.frames = $0.frames ?? frames }
            return try inPlace()!
        }
    }

    private struct NeverFinished: Error {}

    /// - Throws: ``StoreDamage`` naming the frame's offset.
    func readFrame(at location: FrameLocation, dictionaries: Dictionaries) throws -> DecodedFrame {
        if let headerDamage { throw headerDamage }
        return try damage(at: location.offset) { () throws -> DecodedFrame in
            let bytes = try file.readExpected(count: Int(location.length), at: location.offset)
            let frame = try openFrame(bytes, dictionaries: dictionaries)
            guard frame.header.magic == JournalFormat.frameMagic, frame.header.firstSequence == location.firstSequence else {
                throw FormatError.badMagic
            }
            return try DecodedFrame(
                header: frame.header, raw: frame.raw, identifiers: frame.identifiers, dictionary: frame.dictionary)
        }
    }

    /// A frame's payload, and the identifiers behind it.
    private func openFrame(_ bytes: [UInt8], dictionaries: Dictionaries) throws -> OpenedFrame {
        let (header, plain) = try unsealFrame(bytes)
        let dictionary = try dictionaries.dictionary(header.dictionary)
        let (raw, identifiers) = try plain.withUnsafeBytes { buffer throws(FormatError) in
            try Zstd.expandWithRest(buffer, rawCount: Int(header.rawLength), dictionary: dictionary)
        }
        return OpenedFrame(header: header, raw: raw, identifiers: identifiers, dictionary: dictionary)
    }

    private struct OpenedFrame {
        var header: FrameHeader
        var raw: [UInt8]
        var identifiers: [UInt8]
        var dictionary: FrameDictionary?
    }

    private func unsealFrame(_ bytes: [UInt8]) throws -> (FrameHeader, Data) {
        let header = try bytes.withUnsafeBytes { buffer throws(FormatError) in try FrameHeader(decoding: buffer) }
        guard UInt64(bytes.count) == header.frameLength else { throw FormatError.truncated }
        let nonceEnd = JournalFormat.frameHeaderSize + JournalFormat.nonceSize
        let nonce = try AES.GCM.Nonce(data: bytes[JournalFormat.frameHeaderSize..<nonceEnd])
        let plain = try envelope.open(
            bytes[nonceEnd...], nonce: nonce, authenticating: Array(bytes[..<JournalFormat.frameHeaderSize]))
        return (header, plain)
    }

    private func damage<Result>(at offset: UInt64, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as FormatError {
            throw StoreDamage(path: path, offset: offset, reason: error)
        }
    }

    // MARK: The index at the end of a finished file

    /// The frame index from the trailer with the sequence after the last frame, or nil if the file was never
    /// finished.
    func readIndex() throws -> (frames: [FrameLocation], endSequence: UInt64)? {
        guard headerDamage == nil else { return nil }
        let size = try file.size
        guard size > UInt64(JournalFormat.trailerSize) else { return nil }
        let trailer = try file.read(count: JournalFormat.trailerSize, at: size - UInt64(JournalFormat.trailerSize))
        let offset: UInt64? = trailer.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            guard let offset = try? reader.get(UInt64.self), let check = try? reader.get(UInt32.self),
                let magic = try? reader.get(UInt64.self), magic == JournalFormat.trailerMagic,
                check == FileEnvelope.checksum(Array(buffer.prefix(8)))
            else { return nil }
            return offset
        }
        guard let offset, offset < size - UInt64(JournalFormat.trailerSize),
            let bytes = try? file.read(count: Int(size - offset) - JournalFormat.trailerSize, at: offset),
            let frame = try? openFrame(bytes, dictionaries: .none), frame.header.magic == JournalFormat.indexMagic
        else { return nil }
        return try damage(at: offset) {
            try frame.raw.withUnsafeBytes { buffer in
                guard frame.header.firstSequence >= firstSequence else { throw FormatError.badMagic }
                var reader = ByteReader(buffer)
                var frames: [FrameLocation] = []
                var location = FrameLocation(firstSequence: 0, offset: 0, length: 0)
                for _ in 0..<(try reader.getCount()) {
                    location.firstSequence &+= try reader.getVarint()
                    location.offset &+= try reader.getVarint()
                    location.length = UInt32(try reader.getCount())
                    guard location.offset <= offset, UInt64(location.length) <= offset - location.offset else {
                        throw FormatError.truncated
                    }
                    frames.append(location)
                }
                return (frames, frame.header.firstSequence)
            }
        }
    }

    static func encodedIndex(_ frames: [FrameLocation]) -> [UInt8] {
        var writer = ByteWriter()
        writer.putVarint(frames.count)
        var last = FrameLocation(firstSequence: 0, offset: 0, length: 0)
        for frame in frames {
            writer.putVarint(frame.firstSequence - last.firstSequence)
            writer.putVarint(frame.offset - last.offset)
            writer.putVarint(Int(frame.length))
            last = frame
        }
        return writer.bytes
    }

    // MARK: Recovery

    struct Walk {
        var frames: [FrameLocation] = []
        var endSequence: UInt64
        /// Frames that are damaged although whole frames follow them.
        var damaged: [StoreDamage] = []
        /// Bytes after the last whole frame: a write that a crash tore, never acknowledged.
        var tornBytes: UInt64 = 0
        /// The walk up to the last commit that is whole. What follows it was never acknowledged, unless something
        /// else proves that it was.
        var wholeFrames = 0
        var wholeEnd: UInt64
        var wholeDamaged = 0
        var wholeLength: UInt64

        fileprivate mutating func markWhole(at offset: UInt64, endSequence: UInt64? = nil) {
            wholeFrames = frames.count
            wholeEnd = endSequence ?? self.endSequence
            wholeDamaged = damaged.count
            wholeLength = offset
        }
    }

    /// Goes through an unfinished file frame by frame; what is not authentic is stepped over.
    func walk() throws -> Walk {
        let size = try file.size
        var offset = UInt64(envelope.header.count)
        var walk = Walk(endSequence: firstSequence, wholeEnd: firstSequence, wholeLength: offset)
        var pendingDamage: StoreDamage?
        /// Where the newest commit that holds damage begins.
        var damagedCommit: UInt64?
        while offset + UInt64(JournalFormat.frameHeaderSize) <= size {
            let bytes = try file.read(count: JournalFormat.frameHeaderSize, at: offset)
            let header = try? bytes.withUnsafeBytes { buffer throws(FormatError) in try FrameHeader(decoding: buffer) }
            if let header, header.magic == JournalFormat.indexMagic, header.firstSequence >= walk.endSequence,
                offset + header.frameLength <= size, headerDamage == nil,
                (try? unsealFrame(try file.read(count: Int(header.frameLength), at: offset))) != nil
            {
                // The file was finished: it ends where the index says, even if its last frames are damaged.
                if let damage = pendingDamage { walk.damaged.append(damage) }
                walk.endSequence = header.firstSequence
                walk.markWhole(at: offset)
                return walk
            }
            if let header, header.magic == JournalFormat.frameMagic, offset + header.frameLength <= size,
                header.firstSequence >= walk.endSequence
            {
                let location = FrameLocation(
                    firstSequence: header.firstSequence, offset: offset, length: UInt32(header.frameLength))
                if try isAuthentic(header, location, after: walk.endSequence) {
                    let commit = offset - min(header.bytesIntoCommit, offset)
                    /// Where the commits before this one end: known from its first frame, even if theirs are damaged.
                    let before = header.bytesIntoCommit == 0 ? header.firstSequence : walk.endSequence
                    if let begin = damagedCommit, commit > begin {
                        // Another commit follows, so this one was acknowledged, or at least whole.
                        damagedCommit = nil
                        walk.markWhole(at: commit, endSequence: before)
                    }
                    if let damage = pendingDamage {
                        if commit > damage.offset {
                            walk.markWhole(at: commit, endSequence: before)
                        } else {
                            damagedCommit = commit
                        }
                        walk.damaged.append(damage)
                        if commit > damage.offset { walk.wholeDamaged = walk.damaged.count }
                    }
                    pendingDamage = nil
                    walk.frames.append(location)
                    walk.endSequence = header.firstSequence + UInt64(header.recordCount)
                    offset += header.frameLength
                    if header.endsCommit && damagedCommit == nil { walk.markWhole(at: offset) }
                    continue
                }
            }
            pendingDamage = pendingDamage ?? StoreDamage(path: path, offset: offset, reason: .notAuthentic)
            guard let next = try nextFrameOffset(after: offset, size: size) else { break }
            offset = next
        }
        walk.tornBytes = pendingDamage.map { size - $0.offset } ?? (size - min(offset, size))
        return walk
    }

    private func isAuthentic(_ header: FrameHeader, _ location: FrameLocation, after endSequence: UInt64) throws -> Bool {
        if headerDamage != nil {
            // Without the key only the plain headers can be followed, as far as they hang together.
            return header.firstSequence == endSequence && header.recordCount <= LogEngine.commitRowLimit
        }
        let bytes = try file.read(count: Int(location.length), at: location.offset)
        do { _ = try unsealFrame(bytes) } catch is FormatError { return false }
        return true
    }

    /// Where the next frame magic stands after damaged bytes.
    private func nextFrameOffset(after offset: UInt64, size: UInt64) throws -> UInt64? {
        let pattern = withUnsafeBytes(of: JournalFormat.frameMagic.littleEndian) { Array($0) }
        let chunkSize = 1 << 20
        var start = offset + 1
        while start + UInt64(JournalFormat.frameHeaderSize) <= size {
            let count = Int(min(UInt64(chunkSize), size - start))
            let chunk = try file.read(count: count, at: start)
            if count >= 4 {
                for index in 0...(count - 4)
                where chunk[index] == pattern[0] && chunk[index + 1] == pattern[1] && chunk[index + 2] == pattern[2]
                    && chunk[index + 3] == pattern[3]
                {
                    return start + UInt64(index)
                }
            }
            start += UInt64(max(count - 3, 1))
        }
        return nil
    }
}
