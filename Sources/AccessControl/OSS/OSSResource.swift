// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What an OSS request is about: the service, a bucket, or an object.
public enum OSSResource: Sendable, Hashable {
    case service
    case bucket(String)
    case object(bucket: String, key: String)

    public var bucket: String? {
        switch self {
        case .service: nil
        case .bucket(let name), .object(let name, _): name
        }
    }

    public var key: String? {
        guard case .object(_, let key) = self else { return nil }
        return key
    }

    /// Decoded, as V1 signs it. The bucket is there whatever the address said (oss.md section 2).
    var path: String {
        switch self {
        case .service: "/"
        case .bucket(let name): "/\(name)/"
        case .object(let bucket, let key): "/\(bucket)/\(key)"
        }
    }
}

/// The names under which this store is reached, which decide whether a bucket stands in the host or in the path.
///
/// Source: oss.md section 2, host parsing.
public struct OSSAddressing: Sendable {
    /// Names `b` such that `<bucket>.b` is a virtual host; `localhost` always is one.
    public var baseDomains: [String]
    /// Custom domains, lower case, and the bucket each one stands for.
    public var customDomains: [String: String]

    public init(baseDomains: [String] = [], customDomains: [String: String] = [:]) {
        self.baseDomains = baseDomains
        self.customDomains = customDomains
    }

    /// - Parameter host: the `Host` header, port and all.
    /// - Throws: if the path is not percent-encoded UTF-8.
    public func resource(host: String, rawPath: String) throws(WireFault) -> OSSResource {
        let path = rawPath.utf8.first == Ascii.slash ? rawPath.utf8.dropFirst() : rawPath.utf8[...]
        if let bucket = bucket(inHost: host) {
            return try Self.resource(bucket: bucket, rawKey: path)
        }
        // Split before decoding: a `/` inside a key may arrive as `%2F` (oss.md section 3).
        let slash = path.firstIndex(of: Ascii.slash) ?? path.endIndex
        guard let bucket = PercentEncoding.decode(path[..<slash], plusIsSpace: false) else {
            throw .badEncoding(part: "path")
        }
        if bucket.isEmpty { return .service }
        return try Self.resource(bucket: bucket, rawKey: path[slash...].dropFirst())
    }

    private static func resource(
        bucket: String, rawKey: String.UTF8View.SubSequence
    ) throws(WireFault) -> OSSResource {
        guard let key = PercentEncoding.decode(rawKey, plusIsSpace: false) else { throw .badEncoding(part: "path") }
        return key.isEmpty ? .bucket(bucket) : .object(bucket: bucket, key: key)
    }

    private func bucket(inHost host: String) -> String? {
        if host.utf8.first == UInt8(ascii: "[") { return nil }
        let name = host.splitAtFirst(Ascii.colon).head.asciiLowercased()
        for base in baseDomains + ["localhost"] {
            if name.equalsIgnoringAsciiCase(base) { return nil }
            let suffix = "." + base.asciiLowercased()
            if name.utf8.count > suffix.utf8.count, name.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) {
                return String(decoding: name.utf8.dropLast(suffix.utf8.count), as: UTF8.self)
            }
        }
        return customDomains[name]
    }
}
