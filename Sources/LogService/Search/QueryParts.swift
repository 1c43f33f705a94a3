// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A query cut at its pipe: `search | analysis`.
package struct QueryParts: Sendable, Equatable {
    package enum Analysis: Sendable, Equatable {
        case none
        /// `| with_pack_meta`: found logs are returned with what their context is asked for with.
        case packMeta
        case sql(SQL)
    }

    package struct SQL: Sendable, Equatable {
        package struct Setting: Sendable, Equatable {
            package var name: String
            package var value: String

            package init(name: String, value: String) {
                self.name = name
                self.value = value
            }
        }

        /// Without what comes before it and blanks at its end.
        package var text: String
        /// Of `set session name=value;` before it.
        package var session: [Setting] = []
        /// Where it begins in the query, in bytes and in characters, both from 0.
        package var byteOffset: Int
        package var characterOffset: Int
    }

    /// As written before the pipe, blanks included, so that columns are those of the query.
    package var search: String
    package var analysis: Analysis

    /// The search as answers name it.
    package var searchPart: String {
        let part = Self.trimmed(Array(search.utf8)[...])
        return part.isEmpty ? "*" : String(decoding: part, as: UTF8.self)
    }

    package init(_ query: String) throws(LogServiceError) {
        let bytes = Array(query.utf8)
        guard let pipe = Self.pipe(in: bytes) else {
            search = query
            analysis = .none
            return
        }
        search = String(decoding: bytes[..<pipe], as: UTF8.self)
        let part = Self.trimmed(bytes[(pipe + 1)...])
        guard !part.isEmpty else {
            let column = String(decoding: bytes[...pipe], as: UTF8.self).count
            throw .parameter("Nothing follows the | at column \(column): write an SQL statement after it, or leave it out.")
        }
        if String(decoding: part, as: UTF8.self).lowercased() == "with_pack_meta" {
            analysis = .packMeta
        } else {
            analysis = .sql(try Self.sql(part, of: bytes))
        }
    }

    /// The first pipe outside of double quotes. A backslash takes the quote, or the backslash, that follows it along.
    private static func pipe(in bytes: [UInt8]) -> Int? {
        var isQuoted = false
        var place = 0
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "|") where !isQuoted: return place
            case UInt8(ascii: "\\") where SearchText.isEscape(bytes, at: place): place += 1
            default: break
            }
            place += 1
        }
        return nil
    }

    private static func sql(_ part: ArraySlice<UInt8>, of query: [UInt8]) throws(LogServiceError) -> SQL {
        var rest = part
        var session: [SQL.Setting] = []
        while let end = rest.firstIndex(of: UInt8(ascii: ";")), let setting = setting(rest[..<end]) {
            session.append(setting)
            rest = trimmed(rest[(end + 1)...])
        }
        let before = String(decoding: query[..<rest.startIndex], as: UTF8.self).count
        guard !rest.isEmpty else {
            throw .parameter("An SQL statement is expected after set session, at column \(before + 1).")
        }
        return SQL(
            text: String(decoding: rest, as: UTF8.self), session: session, byteOffset: rest.startIndex, characterOffset: before)
    }

    /// Of `set session name=value`.
    private static func setting(_ statement: ArraySlice<UInt8>) -> SQL.Setting? {
        let sides = String(decoding: statement, as: UTF8.self).split(separator: "=", maxSplits: 1)
        guard sides.count == 2 else { return nil }
        let words = sides[0].split(whereSeparator: \.isWhitespace)
        guard words.count == 3, words[0].lowercased() == "set", words[1].lowercased() == "session" else { return nil }
        let value = trimmed(Array(sides[1].utf8)[...])
        return SQL.Setting(name: String(words[2]), value: String(decoding: value, as: UTF8.self))
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let front = bytes.drop(while: SearchText.isBlank)
        guard let last = front.lastIndex(where: { !SearchText.isBlank($0) }) else { return front.prefix(0) }
        return front[...last]
    }
}
