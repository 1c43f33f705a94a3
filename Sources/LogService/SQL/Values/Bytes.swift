// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Texts are compared by their bytes, which is by code point: Swift's own comparison takes composed and decomposed
/// characters for equal, SQL does not.
extension String {
    func hasSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && comparedBytes(with: other) == 0
    }

    func comparedBytes(with other: String) -> Int {
        let fast = utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in
                let count = Swift.min(left.count, right.count)
                for place in 0..<count where left[place] != right[place] { return left[place] < right[place] ? -1 : 1 }
                return left.count - right.count
            }
        }
        if let fast = fast ?? nil { return fast }
        for (left, right) in zip(utf8, other.utf8) where left != right { return left < right ? -1 : 1 }
        return utf8.count - other.utf8.count
    }

    func hashBytes(into hasher: inout Hasher) {
        if utf8.withContiguousStorageIfAvailable({ hasher.combine(bytes: UnsafeRawBufferPointer($0)) }) == nil {
            for byte in utf8 { hasher.combine(byte) }
        }
        // Ends the text, as sequences of texts are hashed too.
        hasher.combine(0xFF as UInt8)
    }
}
