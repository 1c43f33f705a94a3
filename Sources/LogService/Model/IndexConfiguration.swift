// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What of a logstore's logs can be searched and analysed, and how texts are cut into words: the part of an index object
/// that has a meaning here. The object as the client sent it is kept beside it and returned as it came.
public struct IndexConfiguration: Sendable, Equatable {
    public struct Text: Sendable, Equatable {
        /// Single characters, ASCII or not.
        public var delimiters: Set<Character>
        public var isCaseSensitive: Bool
        /// Chinese characters are words of their own.
        public var splitsChinese: Bool

        public init(delimiters: Set<Character> = Text.standard, isCaseSensitive: Bool = false, splitsChinese: Bool = false) {
            self.delimiters = delimiters
            self.isCaseSensitive = isCaseSensitive
            self.splitsChinese = splitsChinese
        }

        /// The 22 delimiters that clients put into an index by default.
        public static let standard = Set<Character>(", '\";=()[]{}?@&<>/:\n\t\r")
    }

    public enum Kind: Sendable, Equatable {
        case text(Text)
        case long
        case double
    }

    public struct Key: Sendable, Equatable {
        public var kind: Kind
        /// May be used in SQL.
        public var isColumn: Bool
        /// Name of the column in SQL, instead of the key.
        public var alias: String?

        public init(kind: Kind, isColumn: Bool, alias: String? = nil) {
            self.kind = kind
            self.isColumn = isColumn
            self.alias = alias
        }
    }

    /// A field whose value is JSON.
    public struct JSON: Sendable, Equatable {
        /// For every leaf without an entry in `leaves`.
        public var text: Text
        /// Every text leaf can be searched, whether it has an entry or not.
        public var indexesAll: Bool
        /// Nil for any depth; 1 is the object's own keys.
        public var maxDepth: Int?
        /// The field itself as a column of JSON text.
        public var isColumn: Bool
        public var alias: String?
        /// By path below the field, keys joined by dots.
        public var leaves: [String: Key]

        public init(
            text: Text, indexesAll: Bool, maxDepth: Int?, isColumn: Bool, alias: String? = nil, leaves: [String: Key]
        ) {
            self.text = text
            self.indexesAll = indexesAll
            self.maxDepth = maxDepth
            self.isColumn = isColumn
            self.alias = alias
            self.leaves = leaves
        }
    }

    public enum Field: Sendable, Equatable {
        case value(Key)
        case json(JSON)
    }

    /// Full text over all fields; nil if there is none.
    public var line: Text?
    /// By the key of a log's field, or `__tag__:K`.
    public var fields: [String: Field]
    /// Bytes of a text that SQL sees.
    public var textLimit: Int

    public init(line: Text?, fields: [String: Field], textLimit: Int = 2048) {
        self.line = line
        self.fields = fields
        self.textLimit = textLimit
    }
}
