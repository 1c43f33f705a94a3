// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A number of a condition. Whole numbers compare exactly, so that two long ids never look alike.
enum PolicyNumber: Sendable, Hashable {
    case whole(Int64)
    case real(Double)

    init?(_ text: String) {
        let signs = Set("0123456789+-.eE".utf8)
        guard !text.isEmpty, text.utf8.count <= 64, text.utf8.allSatisfy(signs.contains) else { return nil }
        if let whole = Int64(text) {
            self = .whole(whole)
        } else if let real = Double(text), real.isFinite {
            self = .real(real)
        } else {
            return nil
        }
    }

    private var approximate: Double {
        switch self {
        case .whole(let value): Double(value)
        case .real(let value): value
        }
    }
}

extension PolicyNumber: Comparable {
    static func == (one: PolicyNumber, other: PolicyNumber) -> Bool {
        if case .whole(let one) = one, case .whole(let other) = other { return one == other }
        return one.approximate == other.approximate
    }

    static func < (one: PolicyNumber, other: PolicyNumber) -> Bool {
        if case .whole(let one) = one, case .whole(let other) = other { return one < other }
        return one.approximate < other.approximate
    }
}
