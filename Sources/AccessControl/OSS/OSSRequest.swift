// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An OSS request, read but not yet believed: what it is about, with which parameters, signed how.
public struct OSSRequest: Sendable {
    public let request: WireRequest
    public let resource: OSSResource
    public let parameters: WireParameters
    /// The key the sender claims to hold; not proved.
    public let claimedAccessKeyId: String?

    /// Nobody signed it: its sender is anyone.
    public let isAnonymous: Bool

    let credentials: Result<OSSCredentials, AuthenticationFailure>

    /// - Throws: for a request that is too large or cannot be decoded, whoever sent it.
    public init(
        _ request: WireRequest, addressing: OSSAddressing = OSSAddressing(), limits: WireLimits = WireLimits()
    ) throws(AuthenticationFailure) {
        do throws(WireFault) {
            try request.check(limits)
            resource = try addressing.resource(host: request.header("host") ?? "", rawPath: request.rawPath)
            parameters = try WireParameters(decoding: request.rawQuery, limits: limits)
        } catch {
            throw .ossUnreadable(error)
        }
        self.request = request
        isAnonymous = OSSCredentials.areAbsent(request, parameters: parameters)
        do throws(AuthenticationFailure) {
            credentials = .success(try OSSCredentials(request, parameters: parameters))
        } catch {
            credentials = .failure(error)
        }
        claimedAccessKeyId =
            switch credentials {
            case .success(let credentials): credentials.accessKeyId
            case .failure(let failure): failure.claimedAccessKeyId
            }
    }
}
