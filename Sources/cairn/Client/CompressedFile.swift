// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine
import Trails

/// Compressed files given to commands, known by their first bytes.
enum CompressedFile {
    private static let limit = 2 << 30

    static func isCompressed(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: [0x1F, 0x8B]) || bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD])
    }

    static func expand(_ bytes: [UInt8]) throws -> [UInt8] {
        do {
            return try bytes.withUnsafeBytes {
                bytes.first == 0x1F ? try Gzip.expand($0, limit: limit) : try Zstd.expandStream($0, limit: limit)
            }
        } catch {
            throw Failure.usage("the file is damaged, or expands to more than 2 GiB")
        }
    }
}
