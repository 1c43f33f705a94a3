// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

enum ConstantTime {
    /// Compares without stopping at the first difference, so that the time taken tells a forger nothing.
    ///
    /// The length is not hidden: that of a signature or digest is public. Signatures are compared as the text they
    /// travel in, which spares decoding what a stranger sent.
    @inline(never)
    static func equal(_ one: some Collection<UInt8>, _ other: some Collection<UInt8>) -> Bool {
        guard one.count == other.count else { return false }
        var difference: UInt8 = 0
        for (left, right) in zip(one, other) { difference |= left ^ right }
        return difference == 0
    }

    static func equal(_ one: String, _ other: String) -> Bool {
        equal(one.utf8, other.utf8)
    }
}
