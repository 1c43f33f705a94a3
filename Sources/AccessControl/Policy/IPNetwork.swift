// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An IPv4 or IPv6 address. An IPv4 address inside an IPv6 one (`::ffff:192.0.2.1`) is the IPv4 address.
struct IPAddress: Sendable, Hashable {
    let isV4: Bool
    /// Of an IPv4 address the lower 32 bits.
    let bits: UInt128

    private static let mappedPrefix: UInt128 = 0xffff

    init?(_ text: String) {
        let plain = text.splitAtFirst(UInt8(ascii: "%")).head
        if let bits = Self.v4(plain) {
            self.init(isV4: true, bits: UInt128(bits))
        } else if let bits = Self.v6(plain) {
            let isMapped = bits >> 32 == Self.mappedPrefix
            self.init(isV4: isMapped, bits: isMapped ? bits & 0xffff_ffff : bits)
        } else {
            return nil
        }
    }

    private init(isV4: Bool, bits: UInt128) {
        self.isV4 = isV4
        self.bits = bits
    }

    /// Four decimal numbers, without leading zeros: `010.0.0.1` means one address here and another one there.
    private static func v4(_ text: String) -> UInt32? {
        let parts = text.split(at: UInt8(ascii: "."))
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard part.utf8.count <= 3, let byte = UInt8(part), "\(byte)".hasSameBytes(as: part) else { return nil }
            bits = bits << 8 | UInt32(byte)
        }
        return bits
    }

    private static func v6(_ text: String) -> UInt128? {
        guard text.utf8.count <= 45 else { return nil }
        let halves = text.split(atFirstDouble: Ascii.colon)
        guard let head = groups(halves.head, mayEndInV4: halves.tail == nil) else { return nil }
        guard let tailText = halves.tail else { return head.count == 8 ? joined(head) : nil }
        guard let tail = groups(tailText, mayEndInV4: true), head.count + tail.count <= 7 else { return nil }
        return joined(head + [UInt16](repeating: 0, count: 8 - head.count - tail.count) + tail)
    }

    private static func groups(_ text: String, mayEndInV4: Bool) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var groups: [UInt16] = []
        let parts = text.split(at: Ascii.colon)
        for (place, part) in parts.enumerated() {
            if place == parts.count - 1, mayEndInV4, let bits = v4(part) {
                groups += [UInt16(bits >> 16), UInt16(truncatingIfNeeded: bits)]
            } else {
                guard (1...4).contains(part.utf8.count), part.utf8.first != Ascii.plus, let group = UInt16(part, radix: 16)
                else { return nil }
                groups.append(group)
            }
        }
        return groups
    }

    private static func joined(_ groups: [UInt16]) -> UInt128 {
        groups.reduce(0) { $0 << 16 | UInt128($1) }
    }
}

/// An address, or a network in CIDR notation; bits beyond the prefix do not count.
struct IPNetwork: Sendable, Hashable {
    private let isV4: Bool
    private let bits: UInt128
    private let mask: UInt128

    init?(_ text: String) {
        let (addressText, lengthText) = text.splitAtFirst(Ascii.slash)
        guard let address = IPAddress(addressText), !addressText.utf8.contains(UInt8(ascii: "%")) else { return nil }
        let width = address.isV4 ? 32 : 128
        var length = width
        if let lengthText {
            guard let written = UInt8(lengthText), "\(written)".hasSameBytes(as: lengthText) else { return nil }
            let isMapped = address.isV4 && addressText.utf8.contains(Ascii.colon)
            length = Int(written) - (isMapped ? 96 : 0)
            guard (0...width).contains(length) else { return nil }
        }
        isV4 = address.isV4
        let all = UInt128.max >> UInt128(128 - width)
        mask = all & ~(all >> UInt128(length))
        bits = address.bits & mask
    }

    func contains(_ address: IPAddress) -> Bool {
        address.isV4 == isV4 && address.bits & mask == bits
    }
}

extension String {
    /// What stands before and after the first such byte that is doubled; nothing after it if there is none.
    fileprivate func split(atFirstDouble byte: UInt8) -> (head: String, tail: String?) {
        let bytes = Array(utf8)
        guard let place = bytes.indices.dropLast().first(where: { bytes[$0] == byte && bytes[$0 + 1] == byte }) else {
            return (self, nil)
        }
        return (
            String(decoding: bytes[..<place], as: UTF8.self), String(decoding: bytes[(place + 2)...], as: UTF8.self)
        )
    }
}
