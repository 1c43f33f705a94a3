// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a condition asks the request for. Keys compare without regard to case (ram.md section 4).
enum ConditionKey: Sendable, Hashable {
    case sourceIp, currentTime, secureTransport, mfaPresent, principalARN, userAgent, accessId
    /// One that the operation itself brings, lower case; absent unless it does.
    case ofRequest(String)

    init(_ name: String) {
        let name = name.asciiLowercased()
        self = Self.standard.first { $0.name.asciiLowercased() == name } ?? .ofRequest(name)
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
