// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The numbers that a comparison or a range allows. A value that is no number of the field's type is never among them.
enum NumberRange: Sendable, Equatable {
    /// Nil where no whole number fits.
    case long(ClosedRange<Int64>?)
    case double(from: Double, includesFrom: Bool, to: Double, includesTo: Bool)

    /// One end; nil for none.
    struct Bound {
        var number: String
        var isIncluded: Bool
    }

    /// Nil if an end is no number.
    init?(from: Bound?, to: Bound?, isLong: Bool) {
        let low = from.map { NumberText.double($0.number) } ?? -.infinity
        let high = to.map { NumberText.double($0.number) } ?? .infinity
        guard let low, let high else { return nil }
        guard isLong else {
            self = .double(from: low, includesFrom: from?.isIncluded ?? true, to: high, includesTo: to?.isIncluded ?? true)
            return
        }
        let least = from.map { Self.least($0, low) } ?? .min
        let most = to.map { Self.most($0, high) } ?? .max
        guard let least, let most, least <= most else {
            self = .long(nil)
            return
        }
        self = .long(least...most)
    }

    func contains(_ text: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .long(let range):
            guard let range, let value = NumberText.long(text) else { return false }
            return range.contains(value)
        case .double(let from, let includesFrom, let to, let includesTo):
            guard let value = NumberText.double(text) else { return false }
            return (includesFrom ? value >= from : value > from) && (includesTo ? value <= to : value < to)
        }
    }

    /// The least whole number above a bound; nil if it is too large.
    private static func least(_ bound: Bound, _ value: Double) -> Int64? {
        if let exact = NumberText.long(bound.number) {
            guard !bound.isIncluded else { return exact }
            return exact == .max ? nil : exact + 1
        }
        guard value < 0x1p63 else { return nil }
        guard value >= -0x1p63 else { return .min }
        // What has a fraction is below 2⁵³, so that 1 can be added.
        let whole = Int64(value.rounded(.down))
        if value == value.rounded(.down), bound.isIncluded { return whole }
        return whole == .max ? nil : whole + 1
    }

    /// The greatest whole number below a bound; nil if it is too small.
    private static func most(_ bound: Bound, _ value: Double) -> Int64? {
        if let exact = NumberText.long(bound.number) {
            guard !bound.isIncluded else { return exact }
            return exact == .min ? nil : exact - 1
        }
        guard value >= -0x1p63 else { return nil }
        guard value < 0x1p63 else { return .max }
        let whole = Int64(value.rounded(.up))
        if value == value.rounded(.up), bound.isIncluded { return whole }
        return whole == .min ? nil : whole - 1
    }
}
