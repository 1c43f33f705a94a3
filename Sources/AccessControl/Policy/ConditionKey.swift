// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a condition asks the request for. Keys compare without regard to case (ram.md section 4), but for what stands
/// behind a `/`: the key of a tag, which is another tag in another case.
enum ConditionKey: Sendable, Hashable {
    case sourceIp, currentTime, secureTransport, mfaPresent, principalARN, userAgent, accessId
    /// One that the operation itself brings, as ``canonical(_:)``; absent unless it does.
    case ofRequest(String)

    init(_ name: String) {
        let folded = name.asciiLowercased()
        self = Self.standard.first { $0.name.asciiLowercased() == folded } ?? .ofRequest(Self.canonical(name))
    }

    /// In lower case up to the first `/`.
    static func canonical(_ name: String) -> String {
        let (head, tag) = name.splitAtFirst(Ascii.slash)
        return tag.map { head.asciiLowercased() + "/" + $0 } ?? head.asciiLowercased()
    }

    /// Those that every request has, if it has a value for them.
    static let standard: [ConditionKey] = [
        .sourceIp, .currentTime, .secureTransport, .mfaPresent, .principalARN, .userAgent, .accessId,
    ]

    var name: String {
        switch self {
        case .sourceIp: "acs:SourceIp"
        case .currentTime: "acs:CurrentTime"
        case .secureTransport: "acs:SecureTransport"
        case .mfaPresent: "acs:MFAPresent"
        case .principalARN: "acs:PrincipalARN"
        case .userAgent: "acs:UserAgent"
        case .accessId: "acs:AccessId"
        case .ofRequest(let name): name
        }
    }
}
