// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// `NextToken`: base64 of JSON. Not secret and not trusted: it holds a place in a list, and the call checks the account
/// itself.
enum PageToken {
    static func text(_ content: some Encodable) -> String {
        (try? JSONEncoder().encode(content).base64EncodedString()) ?? ""
    }

    static func content<Content: Decodable>(_ type: Content.Type, of text: String) throws(RPCError) -> Content {
        guard text.utf8.count <= 1024, let data = Data(base64Encoded: text),
            let content = try? JSONDecoder().decode(type, from: data)
        else { throw .invalidParameter("NextToken is not one that this service gave.") }
        return content
    }

    /// Tells the pages of one list from those of another (FNV-1a).
    static func fingerprint(_ parameters: [String]) -> UInt64 {
        parameters.joined(separator: "\u{0}").utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
