// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// How the values of a field are searched.
enum FieldKind {
    case text(IndexConfiguration.Text, isJSON: Bool)
    case number(isLong: Bool)

    init(_ kind: IndexConfiguration.Kind) {
        switch kind {
        case .text(let text): self = .text(text, isJSON: false)
        case .long: self = .number(isLong: true)
        case .double: self = .number(isLong: false)
        }
    }

    init(_ field: IndexConfiguration.Field) {
        switch field {
        case .value(let key): self.init(key.kind)
        case .json(let json): self = .text(json.text, isJSON: true)
        }
    }
}
