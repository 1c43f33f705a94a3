// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The members of one object in an index, each of the type it must have. A null counts as left out.
struct IndexMembers {
    private let members: [String: JSONDocument]
    /// What a message calls it.
    let place: String

    init(_ members: [String: JSONDocument], of place: String) {
        self.members = members
        self.place = place
    }

    var isEmpty: Bool { members.isEmpty }

    /// In a fixed order, so that the same error is told every time.
    var names: [String] { members.keys.sorted() }

    private func invalid(_ name: String, _ what: String) -> LogServiceError {
        .indexInvalid("\(RegistryName.quoted(name)) of \(place) must be \(what)")
    }

    private func value(_ name: String) -> JSONDocument? {
        let value = members[name]
        return value == .null ? nil : value
    }

    func object(_ name: String) throws(LogServiceError) -> IndexMembers? {
        switch value(name) {
        case nil: nil
        case .object(let members): IndexMembers(members, of: "\(RegistryName.quoted(name))")
        default: throw invalid(name, "an object")
        }
    }

    func string(_ name: String) throws(LogServiceError) -> String? {
        switch value(name) {
        case nil: nil
        case .text(let text): text
        default: throw invalid(name, "a text")
        }
    }

    func integer(_ name: String) throws(LogServiceError) -> Int? {
        switch value(name) {
        case nil: nil
        case .integer(let integer): integer
        default: throw invalid(name, "a whole number")
        }
    }

    /// False if it is left out.
    func flag(_ name: String) throws(LogServiceError) -> Bool {
        switch value(name) {
        case nil: false
        case .flag(let flag): flag
        default: throw invalid(name, "true or false")
        }
    }

    /// None if it is left out.
    func texts(_ name: String) throws(LogServiceError) -> [String] {
        guard let value = value(name) else { return [] }
        guard case .list(let elements) = value else { throw invalid(name, "a list of texts") }
        var texts: [String] = []
        for element in elements {
            guard case .text(let text) = element else { throw invalid(name, "a list of texts") }
            texts.append(text)
        }
        return texts
    }

    /// The name of a column; an empty one is none.
    func alias() throws(LogServiceError) -> String? {
        guard let alias = try string("alias"), !alias.isEmpty else { return nil }
        guard alias.utf8.count <= 128 else { throw invalid("alias", "of at most 128 bytes") }
        return alias
    }

    /// How texts are cut into words; what is left out is as `text` says.
    func text(inheriting text: IndexConfiguration.Text = .init()) throws(LogServiceError) -> IndexConfiguration.Text {
        var text = text
        if value("token") != nil {
            text.delimiters = []
            for token in try texts("token") {
                guard token.unicodeScalars.count == 1, let delimiter = token.first else {
                    throw invalid("token", "a list of single characters")
                }
                text.delimiters.insert(delimiter)
            }
            guard text.delimiters.count <= 128 else { throw invalid("token", "a list of at most 128 characters") }
        }
        if value("caseSensitive") != nil { text.isCaseSensitive = try flag("caseSensitive") }
        if value("chn") != nil { text.splitsChinese = try flag("chn") }
        return text
    }
}

extension JSONDocument {
    func member(_ name: String) -> JSONDocument? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }
}
