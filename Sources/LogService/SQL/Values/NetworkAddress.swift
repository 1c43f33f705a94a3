// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An IPv4 or IPv6 address, or the addresses that share its first bits.
struct NetworkAddress: Equatable {
    /// 4 or 16, the highest first.
    var bytes: [UInt8]
    var bits: Int

    /// `192.0.2.1`, `2001:db8::1`, or with `/bits` behind; nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let bytes = NetworkAddress.version4(parts[0]) ?? NetworkAddress.version6(parts[0]) else {
            return nil
        }
        self.bytes = bytes
        bits = bytes.count * 8
        if parts.count == 2 {
            guard parts[1].count <= 3, parts[1].allSatisfy({ $0.isASCII && $0.isNumber }), let given = Int(parts[1]),
                given <= bits
            else { return nil }
            bits = given
        }
    }

    private init(_ bytes: [UInt8], bits: Int) {
        self.bytes = bytes
        self.bits = bits
    }

    private static func version4(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part in
            part.count <= 3 && part.allSatisfy { $0.isASCII && $0.isNumber } ? UInt8(part) : nil
        }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    private static func version6(_ text: Substring) -> [UInt8]? {
        guard text.utf8.count <= 45, text.contains(":") else { return nil }
        var text = String(text)
        // The last two groups may be written as an IPv4 address.
        if let colon = text.lastIndex(of: ":"), let last = version4(text[text.index(after: colon)...]) {
            let groups = [UInt16(last[0]) << 8 | UInt16(last[1]), UInt16(last[2]) << 8 | UInt16(last[3])]
            text = text[...colon] + groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        func groups(_ part: String) -> [UInt16]? {
            if part.isEmpty { return [] }
            let words = part.split(separator: ":", omittingEmptySubsequences: false)
            let numbers = words.compactMap { word in
                word.count <= 4 && word.allSatisfy(\.isHexDigit) ? UInt16(word, radix: 16) : nil
            }
            return numbers.count == words.count ? numbers : nil
        }
        let all: [UInt16]
        let halves = TextTools.split(text, by: "::")
        switch halves.count {
        case 1:
            guard let numbers = groups(text), numbers.count == 8 else { return nil }
            all = numbers
        case 2:
            guard let head = groups(halves[0]), let tail = groups(halves[1]), head.count + tail.count <= 7 else { return nil }
            all = head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
        default: return nil
        }
        return all.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    }

    /// With the bits behind the first ones off, or on.
    func end(_ isLast: Bool) -> NetworkAddress {
        let changed = bytes.enumerated().map { place, byte -> UInt8 in
            let kept = max(0, min(8, bits - place * 8))
            let mask = kept == 0 ? 0 : UInt8(truncatingIfNeeded: 0xFF << (8 - kept))
            return isLast ? byte | ~mask : byte & mask
        }
        return NetworkAddress(changed, bits: bits)
    }

    func prefix(_ bits: Int) -> NetworkAddress { NetworkAddress(bytes, bits: bits).end(false) }

    func contains(_ other: NetworkAddress) -> Bool {
        bytes.count == other.bytes.count && other.bits >= bits && prefix(bits).bytes == other.prefix(bits).bytes
    }

    /// As RFC 5952 writes it, without the number of bits.
    var text: String {
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
        let groups = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(1, longest.count) { longest = start..<end }
            start = max(end, start + 1)
        }
        func part(_ range: Range<Int>) -> String { groups[range].map { String($0, radix: 16) }.joined(separator: ":") }
        return longest.isEmpty ? part(0..<8) : part(0..<longest.lowerBound) + "::" + part(longest.upperBound..<8)
    }

    /// Addresses that no network outside reaches: private, shared, loopback and link-local ones.
    var isPrivate: Bool { NetworkAddress.privateNetworks.contains { $0.contains(self) } }

    private static let privateNetworks = [
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/8", "::1/128",
        "::/128", "fc00::/7", "fe80::/10",
    ].compactMap { NetworkAddress($0) }
}
