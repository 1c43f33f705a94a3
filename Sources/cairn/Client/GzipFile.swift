// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Trails

/// Gzip files given to commands.
enum GzipFile {
    static func expand(_ bytes: UnsafeRawBufferPointer) throws -> [UInt8] {
        do { return try Gzip.expand(bytes, limit: 2 << 30) } catch {
            throw Failure.usage("the file is not gzip, or expands to more than 2 GiB")
        }
    }
}
