// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A request to the log service, read but not yet believed: of which project, with which parameters, signed how.
public struct SLSRequest: Sendable {
    /// Its path begins with `/`, in whichever form the target was sent.
    public let request: WireRequest
    /// Nil for a call on the service itself.
    public let project: String?
    /// The path, decoded and cut at each `/`; empty for `/`.
    public let path: [String]
    public let parameters: WireParameters
    /// The key the sender claims to hold; not proved.
    public let claimedAccessKeyId: String?

    /// As version 1 signs it.
    let decodedPath: String
    let authorization: Result<SLSAuthorization, AuthenticationFailure>

    /// - Throws: for a request that is too large or cannot be decoded, whoever sent it.
    public init(
        _ request: WireRequest, addressing: SLSAddressing = SLSAddressing(), limits: WireLimits = WireLimits()
    ) throws(AuthenticationFailure) {
        var request = request
        guard let host = request.header("host"), !host.isEmpty else { throw .slsMissingHost }
        if let target = Self.absoluteForm(request.rawPath) {
            // What was signed is the header; a target that names another host is nobody's honest request.
            guard target.host.equalsIgnoringAsciiCase(host.splitAtFirst(Ascii.colon).head) else {
                throw .slsUnreadable("The host of the request target is not that of the Host header.")
            }
            request.rawPath = target.path
        }
        do throws(WireFault) {
            try request.check(limits)
            guard let path = PercentEncoding.decode(request.rawPath.utf8, plusIsSpace: false) else {
                throw .badEncoding(part: "path")
            }
            decodedPath = path
            // Cut before decoding: a `/` inside a name arrives as `%2F`.
            var parts: [String] = []
            for part in request.rawPath.utf8.split(separator: Ascii.slash) {
                guard let name = PercentEncoding.decode(part, plusIsSpace: false) else { throw .badEncoding(part: "path") }
                parts.append(name)
            }
            self.path = parts
            parameters = try WireParameters(decoding: request.rawQuery, limits: limits)
        } catch {
            throw .slsUnreadable(error.message)
        }
        project = addressing.project(host: host)
        self.request = request
        do throws(AuthenticationFailure) {
            authorization = .success(try SLSAuthorization(request))
        } catch {
            authorization = .failure(error)
        }
        claimedAccessKeyId =
            switch authorization {
            case .success(let authorization): authorization.accessKeyId
            case .failure(let failure): failure.claimedAccessKeyId
            }
    }

    /// `http://host[:port]/path`, as a client sends it to a proxy.
    private static func absoluteForm(_ target: String) -> (host: String, path: String)? {
        for scheme in ["http://", "https://"] where target.startsIgnoringAsciiCase(with: scheme) {
            let (authority, path) = String(decoding: target.utf8.dropFirst(scheme.utf8.count), as: UTF8.self)
                .splitAtFirst(Ascii.slash)
            return (authority.splitAtFirst(Ascii.colon).head, "/" + (path ?? ""))
        }
        return nil
    }

    /// Whether the body is the one that was signed, if any was.
    ///
    /// - Parameter body: as sent, before it is uncompressed.
    public func check(body: [UInt8]) throws(AuthenticationFailure) {
        guard case .success(let authorization) = authorization else { return }
        switch authorization.form {
        case .v1:
            guard let digest = request.header("content-md5"), !digest.isEmpty else { return }
            guard digest.equalsIgnoringAsciiCase(SLSV1.contentMD5(body)) else {
                throw .slsOtherBody("Content-MD5", authorization.accessKeyId)
            }
        case .v4(_, let payloadHash):
            let hex = TextCoding.hex(SignatureHash.sha256.digest(body))
            guard ConstantTime.equal(hex, payloadHash) else {
                throw .slsOtherBody("x-log-content-sha256", authorization.accessKeyId)
            }
        }
    }
}

extension SLSRequest: Discreet {
    public var description: String { "\(request.method) \(request.rawPath) by \(claimedAccessKeyId ?? "nobody")" }
}
