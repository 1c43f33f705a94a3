// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Crypto
import Foundation

/// What a content is known by in the headers of stores.
struct ContentFacts: Sendable {
    let size: Int
    let md5: [UInt8]
    let sha256: [UInt8]
    let crc64: UInt64

    init(_ content: [UInt8]) {
        size = content.count
        md5 = Array(Insecure.MD5.hash(data: content))
        sha256 = Array(SHA256.hash(data: content))
        var crc = CRC64()
        content.withUnsafeBytes { crc.update($0) }
        crc64 = crc.value
    }

    var base64MD5: String { Data(md5).base64EncodedString() }
    var base64SHA256: String { Data(sha256).base64EncodedString() }

    /// Whether an ETag is the MD5 of this content; nil if it is no MD5 at all.
    func matches(etag: String?) -> Bool? {
        guard let etag = etag?.trimmingCharacters(in: CharacterSet(charactersIn: "\"")).lowercased(), etag.utf8.count == 32,
            etag.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        return etag == TextCoding.hex(md5)
    }
}
