// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension String {
    /// Text of the first element of this name, with entities decoded; nil if there is none.
    ///
    /// Enough for the answers of the oss port: their elements have no attributes, and no name stands twice where it
    /// would matter.
    func element(_ name: String) -> String? {
        guard let first = range(of: "<\(name)>"), let last = range(of: "</\(name)>", range: first.upperBound..<endIndex) else {
            return contains("<\(name)/>") ? "" : nil
        }
        var text = String(self[first.upperBound..<last.lowerBound])
        for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")] {
            text = text.replacingOccurrences(of: entity, with: character)
        }
        return text
    }
}
