// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Plain key material lives in `SymmetricKey`, which wipes itself; these help it in and out.
extension SymmetricKey {
    /// Takes the bytes over and wipes where they came from.
    init(taking bytes: inout Data) {
        self.init(data: bytes)
        bytes.wipe()
    }

    init(taking bytes: consuming [UInt8]) {
        var bytes = bytes
        self.init(data: bytes)
        bytes.withUnsafeMutableBytes { wipeMemory($0) }
    }

    var byteCount: Int { bitCount / 8 }
}

extension Data {
    /// Overwrites the bytes, in place if nobody else shares them.
    mutating func wipe() {
        withUnsafeMutableBytes { wipeMemory($0) }
        self = Data()
    }
}

/// Overwrites in a way that the optimiser keeps.
func wipeMemory(_ memory: UnsafeMutableRawBufferPointer) {
    guard let start = memory.baseAddress else { return }
    #if canImport(Glibc)
        explicit_bzero(start, memory.count)
    #else
        memset_s(start, memory.count, 0, memory.count)
    #endif
}
