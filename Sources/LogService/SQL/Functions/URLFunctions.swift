// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLFunctionLibrary {
    static let urlFunctions: [SQLFunction] =
        parts.map { name, part in
            SQLFunction(name, [.varchar], .varchar) { arguments, _ in SQLValue(URLParts(arguments[0].string).flatMap(part)) }
        } + [
            SQLFunction("url_extract_port", [.varchar], .bigint) { arguments, _ in
                SQLValue(URLParts(arguments[0].string)?.port.flatMap { Int64($0) })
            },
            SQLFunction("url_extract_parameter", [.varchar, .varchar], .varchar) { arguments, _ in
                SQLValue(URLParts(arguments[0].string)?.parameter(arguments[1].string))
            },
            SQLFunction("url_encode", [.varchar], .varchar) { arguments, run in
                let text = arguments[0].string
                try run.checkText(bytes: text.utf8.count * 3)
                return .text(URLParts.encoded(text))
            },
            SQLFunction("url_decode", [.varchar], .varchar) { arguments, _ in
                guard let text = URLParts.decoded(arguments[0].string) else {
                    throw SQLFailure.data("'\(arguments[0].string.prefix(100))' is not URL-encoded")
                }
                return .text(text)
            },
        ]

    private static let parts: [(String, @Sendable (URLParts) -> String?)] = [
        ("url_extract_protocol", { $0.scheme }), ("url_extract_host", { $0.host }), ("url_extract_path", { $0.path }),
        ("url_extract_query", { $0.query }), ("url_extract_fragment", { $0.fragment }),
    ]
}

/// Parts of a URL as they are written; source: RFC 3986, appendix B.
struct URLParts {
    var scheme = ""
    var host = ""
    var port: String?
    var path = ""
    var query = ""
    var fragment = ""

    init?(_ text: String) {
        if text.unicodeScalars.contains(where: { $0.value <= 0x20 }) { return nil }
        var rest = Substring(text)
        if let hash = rest.firstIndex(of: "#") {
            fragment = String(rest[rest.index(after: hash)...])
            rest = rest[..<hash]
        }
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let colon = rest.firstIndex(of: ":"), !rest[..<colon].contains("/") {
            scheme = String(rest[..<colon])
            rest = rest[rest.index(after: colon)...]
        }
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let authority = rest.prefix { $0 != "/" }
            rest = rest.dropFirst(authority.count)
            setAuthority(authority)
        }
        path = URLParts.decoded(String(rest), plusIsBlank: false) ?? String(rest)
    }

    private mutating func setAuthority(_ authority: Substring) {
        var rest = authority
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("]") {
            port = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        host = String(rest)
    }

    func parameter(_ name: String) -> String? {
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if URLParts.decoded(parts[0])?.hasSameBytes(as: name) == true {
                return parts.count > 1 ? URLParts.decoded(parts[1]) : ""
            }
        }
        return nil
    }

    /// As HTML forms do it: a blank becomes `+`.
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2A, 0x2D, 0x2E, 0x5F: result.append(byte)
            case 0x20: result.append(0x2B)
            default: result += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    static func decoded(_ text: String, plusIsBlank: Bool = true) -> String? {
        func digit(_ byte: UInt8) -> UInt8? {
            Unicode.Scalar(byte).properties.isASCIIHexDigit ? UInt8(String(Unicode.Scalar(byte)), radix: 16) : nil
        }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if bytes[place] == 0x25 {
                guard place + 2 < bytes.count, let high = digit(bytes[place + 1]), let low = digit(bytes[place + 2]) else {
                    return nil
                }
                result.append(high << 4 | low)
                place += 3
            } else {
                result.append(bytes[place] == 0x2B && plusIsBlank ? 0x20 : bytes[place])
                place += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
