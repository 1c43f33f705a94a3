// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A multipart upload that was begun and neither completed nor aborted. Source: oss.md section 13.
public struct MultipartUpload: Codable, Sendable, Equatable {
    public static let partNumbers = 1...10_000
    /// Of every part but the last, judged when the upload is completed.
    public static let minimumPartSize: Int64 = 102_400

    public internal(set) var bucket: String
    public internal(set) var key: String
    /// 32 upper-case hex digits.
    public internal(set) var uploadId: String
    public internal(set) var initiatedAt: Date
    public internal(set) var attributes: ObjectAttributes
    /// As asked at the start, with the bucket's rules of that moment filled in.
    public internal(set) var options: PutOptions
    public internal(set) var keyId: String?
    var initiatedFrom: Int64
}

/// A part that was received whole.
public struct StoredPart: Codable, Sendable, Equatable {
    public internal(set) var number: Int
    public internal(set) var size: Int64
    public internal(set) var md5: Data
    public internal(set) var crc64: UInt64
    public internal(set) var modifiedAt: Date
    var file: String

    /// Upper-case hex of the MD5, without quotes.
    public var etag: String { md5.upperHex }
}

/// A part as the caller of Complete names it.
public struct PartChoice: Sendable, Equatable {
    public var number: Int
    /// With or without quotes, in any case of letters.
    public var etag: String

    public init(number: Int, etag: String) {
        self.number = number
        self.etag = etag
    }
}

extension Data {
    var upperHex: String {
        let digits = Array("0123456789ABCDEF".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
