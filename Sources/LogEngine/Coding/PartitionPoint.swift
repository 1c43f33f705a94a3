// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension RandomAccessCollection {
    /// The first index whose element is not before what is looked for: a binary search, or the end.
    ///
    /// - Parameter isBefore: true for some first elements, and for none after them.
    @inline(__always)
    func partitionPoint(_ isBefore: (Element) throws -> Bool) rethrows -> Index {
        var low = startIndex
        var count = self.count
        while count > 0 {
            let half = count / 2
            let middle = index(low, offsetBy: half)
            if try isBefore(self[middle]) {
                low = index(after: middle)
                count -= half + 1
            } else {
                count = half
            }
        }
        return low
    }
}
