// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension [UInt8] {
    /// Where the first run of bytes equal to `text` ends. The library's search takes a hundred times as long, on the processors
    /// that are measured.
    func end(of text: String) -> Int? {
        let wanted = Array(text.utf8)
        return withUnsafeBytes { bytes in
            var start = 0
            while start + wanted.count <= bytes.count,
                let found = memchr(bytes.baseAddress! + start, Int32(wanted[0]), bytes.count - wanted.count + 1 - start)
            {
                let place = UnsafeRawPointer(found) - bytes.baseAddress!
                if memcmp(found, wanted, wanted.count) == 0 { return place + wanted.count }
                start = place + 1
            }
            return nil
        }
    }
}
