// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A request as it stood on the wire, before anyone decoded anything.
///
/// A signature covers bytes, so path and query must be the raw text of the request target: a router that decodes,
/// reorders or normalises them first makes every signature wrong.
public struct WireRequest: Sendable {
    public var method: String
    /// The request target up to the first `?`.
    public var rawPath: String
    /// The request target after the first `?`; empty without one.
    public var rawQuery: String
    /// In order of arrival, names in the sender's letter case.
    public var headers: [WireHeader]
    /// As received, before any `Content-Encoding` is undone. Left empty for OSS, whose signatures never cover it.
    public var body: [UInt8]
    public var peerAddress: String
    public var isTLS: Bool

    public init(
        method: String, rawPath: String, rawQuery: String = "", headers: [WireHeader] = [], body: [UInt8] = [],
        peerAddress: String = "", isTLS: Bool = false
    ) {
        self.method = method
        self.rawPath = rawPath
        self.rawQuery = rawQuery
        self.headers = headers
        self.body = body
        self.peerAddress = peerAddress
        self.isTLS = isTLS
    }

    public init(
        method: String, target: String, headers: [WireHeader] = [], body: [UInt8] = [],
        peerAddress: String = "", isTLS: Bool = false
    ) {
        let (path, query) = target.splitAtFirst(Ascii.questionMark)
        self.init(
            method: method, rawPath: path, rawQuery: query ?? "", headers: headers, body: body,
            peerAddress: peerAddress, isTLS: isTLS)
    }
}

public struct WireHeader: Sendable, Hashable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension WireRequest {
    /// The value of a header that should stand once, outer blanks removed; names compare without regard to case.
    ///
    /// A header that is repeated reads as its values joined with commas (RFC 9110 section 5.2). That is also how it is
    /// signed, so a second value cannot be slipped in beside a signed one and be read in its stead.
    public func header(_ name: String) -> String? {
        let values = headers.lazy.filter { $0.name.equalsIgnoringAsciiCase(name) }.map { $0.value.trimmingBlanks() }
        guard let first = values.first else { return nil }
        let joined = values.dropFirst().reduce(first) { $0 + "," + $1 }
        return joined
    }

    /// Adds a header, or replaces every header of that name.
    mutating func setHeader(_ name: String, _ value: String) {
        headers.removeAll { $0.name.equalsIgnoringAsciiCase(name) }
        headers.append(WireHeader(name, value))
    }

    var isForm: Bool {
        guard let type = header("content-type") else { return false }
        let media = type.splitAtFirst(Ascii.semicolon).head.trimmingBlanks()
        return media.equalsIgnoringAsciiCase("application/x-www-form-urlencoded")
    }
}
