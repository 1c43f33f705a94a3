// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The one percent-encoding that all Alibaba Cloud signatures share.
///
/// `A-Z a-z 0-9 - _ . ~` stay, every other byte of the UTF-8 text becomes `%XX` in upper case.
/// Source: actiontrail.md section 3.2, oss.md section 6.
public enum PercentEncoding {
    /// - Parameter keepingSlashes: for the path of an OSS V4 request, where `/` stays as it is.
    public static func encode(_ text: String, keepingSlashes: Bool = false) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if isUnreserved[Int(byte)] || (keepingSlashes && byte == Ascii.slash) {
                bytes.append(byte)
            } else {
                bytes += [Ascii.percent, upperHexDigits[Int(byte >> 4)], upperHexDigits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Nil for a `%` without two hex digits behind it, and for bytes that are not UTF-8.
    ///
    /// - Parameter plusIsSpace: true for a query or form, false for a path (oss.md section 3).
    public static func decode(_ bytes: some Collection<UInt8>, plusIsSpace: Bool) -> String? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var rest = bytes.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case Ascii.percent:
                guard let high = rest.next().flatMap(hexValue), let low = rest.next().flatMap(hexValue) else {
                    return nil
                }
                decoded.append(high << 4 | low)
            case Ascii.plus where plusIsSpace: decoded.append(Ascii.space)
            default: decoded.append(byte)
            }
        }
        return String(validating: decoded, as: UTF8.self)
    }

    private static let isUnreserved: [Bool] = {
        var table = [Bool](repeating: false, count: 256)
        for byte in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~".utf8 {
            table[Int(byte)] = true
        }
        return table
    }()

    private static let upperHexDigits = Array("0123456789ABCDEF".utf8)

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
