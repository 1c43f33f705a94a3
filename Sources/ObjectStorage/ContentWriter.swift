// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// Content being written: an object, an append, or a part. One task uses it.
public final class ContentWriter<Result> {
    private let key: String
    private let piece: PieceWriter
    private let commit: (WrittenContent) throws -> Result
    private var size: Int64 = 0
    private var md5 = Insecure.MD5()
    private var crc = CRC64()
    private var state = State.open

    private enum State {
        case open
        /// A write failed: what the file holds is not known any more.
        case failed
        case ended
    }

    /// - Parameter commit: writes the row that makes the content exist; throws ``ObjectError`` only if it did not.
    init(key: String, piece: PieceWriter, commit: @escaping (WrittenContent) throws -> Result) {
        self.key = key
        self.piece = piece
        self.commit = commit
    }

    deinit { abandon() }

    public func append(_ bytes: UnsafeRawBufferPointer) throws {
        guard state == .open else { throw UploadEnded(key: key) }
        md5.update(bufferPointer: bytes)
        crc.update(bytes)
        size += Int64(bytes.count)
        do { try piece.append(bytes) } catch {
            state = .failed
            throw error
        }
    }

    /// Makes the content durable and commits it.
    ///
    /// - Parameters:
    ///   - expectedMD5: refuse with `.digestMismatch` unless the content has it.
    ///   - expectedCRC64: refuse with `.checksumMismatch` unless the content has it.
    public func finish(expectedMD5: [UInt8]?, expectedCRC64: UInt64?) throws -> Result {
        guard state == .open else { throw UploadEnded(key: key) }
        do {
            let digest = Data(md5.finalize())
            if let expectedMD5, !digest.elementsEqual(expectedMD5) { throw ObjectError.digestMismatch(key: key) }
            if let expectedCRC64, expectedCRC64 != crc.value { throw ObjectError.checksumMismatch(key: key) }
            let written = WrittenContent(piece: try piece.finish(), size: size, md5: digest, crc64: crc.value)
            do {
                let result = try commit(written)
                state = .ended
                piece.settle()
                return result
            } catch {
                // Of any other failure nobody knows whether the row is there.
                if !(error is ObjectError) { piece.settle() }
                throw error
            }
        } catch {
            abandon()
            throw error
        }
    }

    public func abandon() {
        guard state != .ended else { return }
        state = .ended
        piece.abandon()
    }
}

/// What a writer has made durable, before its row.
struct WrittenContent {
    var piece: StoredObject.Piece
    /// Bytes that came, without what an append took over from before.
    var size: Int64
    var md5: Data
    var crc64: UInt64
}

extension ContentWriter: ObjectUpload where Result == StoredObject {
    public func finish(expectedMD5: [UInt8]?) throws -> StoredObject {
        try finish(expectedMD5: expectedMD5, expectedCRC64: nil)
    }
}

public typealias ObjectWriter = ContentWriter<StoredObject>
public typealias PartWriter = ContentWriter<StoredPart>
