// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CQREncode
import CZlib
import Foundation

/// A QR code as a PNG of one bit a pixel (ISO/IEC 15948), with the quiet zone that readers need.
enum QRCode {
    private static let scale = 4
    private static let quietModules = 4

    /// - Throws: a 500 if the text is too long for a code.
    static func png(of text: String) throws -> Data {
        guard let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else {
            throw RPCError(500, "InternalError", "The QR code cannot be made.")
        }
        defer { QRcode_free(code) }
        let modules = Int(code.pointee.width)
        let side = (modules + 2 * quietModules) * scale
        var rows: [UInt8] = []
        for y in 0..<side {
            rows.append(0)
            var row = [UInt8](repeating: 0xff, count: (side + 7) / 8)
            let line = y / scale - quietModules
            if (0..<modules).contains(line) {
                for x in 0..<modules * scale where code.pointee.data[line * modules + x / scale] & 1 == 1 {
                    let pixel = x + quietModules * scale
                    row[pixel / 8] &= ~(0x80 >> UInt8(pixel % 8))
                }
            }
            rows += row
        }
        var png = Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
        var header = Data()
        for _ in 0..<2 { header.append(bigEndian: UInt32(side)) }
        header += [1, 0, 0, 0, 0]
        png.append(chunk: "IHDR", header)
        png.append(chunk: "IDAT", try deflate(rows))
        png.append(chunk: "IEND", Data())
        return png
    }

    private static func deflate(_ bytes: [UInt8]) throws -> Data {
        var length = compressBound(uLong(bytes.count))
        var out = [UInt8](repeating: 0, count: Int(length))
        guard compress(&out, &length, bytes, uLong(bytes.count)) == Z_OK else {
            throw RPCError(500, "InternalError", "The QR code cannot be made.")
        }
        return Data(out.prefix(Int(length)))
    }
}

extension Data {
    fileprivate mutating func append(bigEndian value: UInt32) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func append(chunk type: String, _ content: Data) {
        append(bigEndian: UInt32(content.count))
        let checked = [UInt8](type.utf8) + content
        append(contentsOf: checked)
        append(bigEndian: UInt32(crc32(0, checked, uInt(checked.count))))
    }
}
