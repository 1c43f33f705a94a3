// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The `name=value` pairs behind the algorithm of an `Authorization` header.
///
/// Separated by commas, blanks around them allowed, in any order (actiontrail.md section 3, oss.md section 6).
struct AuthorizationFields {
    private let values: [String: String]

    /// Nil if a piece has no sign of assignment, or a name stands twice.
    ///
    /// - Parameter sign: between a name and its value; OSS V2 writes a colon.
    init?(_ text: String, assigning sign: UInt8 = Ascii.equals) {
        var values: [String: String] = [:]
        for piece in text.split(at: Ascii.comma) {
            let (name, value) = piece.trimmingBlanks().splitAtFirst(sign)
            guard let value, values.updateValue(value, forKey: name) == nil else { return nil }
        }
        self.values = values
    }

    subscript(name: String) -> String? { values[name] }
}
