// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Places of the store's rows. Those of objects are in ``ObjectTable``, which alone may change them.
enum RowPath {
    static func bucket(_ name: String) -> String { "buckets/" + name }
    static func statistics(_ bucket: String) -> String { "object-statistics/" + bucket }
    static let clock = "object-store/clock"

    static func uploads(_ bucket: String) -> String { "object-uploads/\(bucket)/" }
    static func upload(_ bucket: String, _ key: String, _ uploadId: String) -> String {
        uploads(bucket) + escaped(key) + separator + uploadId
    }
    static func parts(_ bucket: String) -> String { "object-parts/\(bucket)/" }
    static func parts(_ bucket: String, _ uploadId: String) -> String { parts(bucket) + uploadId + "/" }
    static func part(_ bucket: String, _ uploadId: String, _ number: Int) -> String {
        let digits = String(number)
        return parts(bucket, uploadId) + String(repeating: "0", count: 5 - digits.count) + digits
    }
    static func removals(_ bucket: String) -> String { "object-removals/\(bucket)/" }

    /// Ends a key inside a path; sorts before anything a longer key goes on with.
    static let separator = "\u{1}\u{1}"

    /// A key such that `separator` cannot be inside, in an order like the keys' own.
    static func escaped(_ key: String) -> String {
        key.utf8.contains(1) ? key.replacing("\u{1}", with: "\u{1}\u{2}") : key
    }
}
