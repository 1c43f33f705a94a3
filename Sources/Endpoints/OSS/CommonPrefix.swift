// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The groups that a delimiter makes of keys; source: oss.md section 11, listing rules. All by bytes: characters may
/// combine across the end of a prefix.
struct CommonPrefix {
    let prefix: String
    /// Empty for no groups.
    let delimiter: String

    /// The group that a key with the prefix is in; nil if it stands alone.
    func group(of key: String) -> String? {
        guard !delimiter.isEmpty else { return nil }
        let bytes = Array(key.utf8)
        let mark = Array(delimiter.utf8)
        var start = prefix.utf8.count
        while start + mark.count <= bytes.count {
            if bytes[start..<start + mark.count].elementsEqual(mark) {
                return String(decoding: bytes[..<(start + mark.count)], as: UTF8.self)
            }
            start += 1
        }
        return nil
    }

    /// From where to go on: a marker that is a group stands for everything in it.
    func position(after marker: String) -> String {
        let isGroup =
            !delimiter.isEmpty && marker.utf8.count > prefix.utf8.count && marker.utf8.starts(with: prefix.utf8)
            && marker.utf8.reversed().starts(with: delimiter.utf8.reversed())
        return isGroup ? Self.end(of: marker) : marker
    }

    /// How many rows to ask for, doubled as long as all of them are used: of a group only the first one is.
    var firstBatch: Int { delimiter.isEmpty ? 1000 : 2 }

    /// After every key in the group.
    static func end(of group: String) -> String { group + "\u{10FFFF}" }
}
