// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Numbers pairs of 32-bit numbers in the order in which they come: an open hash table.
struct SQLNumbering {
    private var keys: [UInt64] = []
    /// 0 for an empty place, else the number and one.
    private var numbers: [UInt32] = []
    private(set) var count = 0
    private let seed = UInt64.random(in: 0...UInt64.max)

    /// - Returns: The number, and whether the key is new.
    mutating func number(of key: UInt64) -> (number: UInt32, isNew: Bool) {
        if count * 2 >= keys.count { grow() }
        let mask = keys.count - 1
        var place = hash(key) & mask
        while numbers[place] != 0 {
            if keys[place] == key { return (numbers[place] - 1, false) }
            place = (place + 1) & mask
        }
        keys[place] = key
        count += 1
        numbers[place] = UInt32(count)
        return (UInt32(count - 1), true)
    }

    private func hash(_ key: UInt64) -> Int {
        // The finalizer of MurmurHash3, seeded so that nobody can choose keys that collide.
        var hash = key ^ seed
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return Int(truncatingIfNeeded: (hash ^ (hash >> 33)) >> 1)
    }

    private mutating func grow() {
        let (oldKeys, oldNumbers) = (keys, numbers)
        let size = max(64, oldKeys.count * 4)
        keys = Array(repeating: 0, count: size)
        numbers = Array(repeating: 0, count: size)
        for (key, number) in zip(oldKeys, oldNumbers) where number != 0 {
            var place = hash(key) & (size - 1)
            while numbers[place] != 0 { place = (place + 1) & (size - 1) }
            keys[place] = key
            numbers[place] = number
        }
    }
}

/// Numbers the values of one key in the order in which they come.
final class SQLInterner {
    private(set) var values: [SQLValue] = []
    private var numbers: [SQLValue: UInt32] = [:]
    private var integers = SQLNumbering()
    /// Of the nth different integer.
    private var integerNumbers: [UInt32] = []
    private var dictionary: SQLDictionary?
    /// By code: the number and one, 0 if not known yet.
    private var codes: [UInt32] = []
    private let run: SQLRun

    init(_ run: SQLRun) { self.run = run }

    func numbers(of vector: SQLVector, count: Int) throws -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(count)
        switch vector {
        case .constant(let value): result = Array(repeating: try number(of: value), count: count)
        case .dictionary(let codes, let dictionary):
            if self.dictionary !== dictionary {
                self.dictionary = dictionary
                self.codes = Array(repeating: 0, count: dictionary.values.count)
            }
            for code in codes.prefix(count) {
                if self.codes[Int(code)] == 0 { self.codes[Int(code)] = try number(of: dictionary.values[Int(code)]) + 1 }
                result.append(self.codes[Int(code)] - 1)
            }
        case .integers(let values, nil):
            var last: (value: Int64, number: UInt32)?
            for value in values.prefix(count) {
                if let last, last.value == value {
                    result.append(last.number)
                } else {
                    let found = try number(of: .integer(value))
                    last = (value, found)
                    result.append(found)
                }
            }
        default:
            for row in 0..<count { result.append(try number(of: vector.value(row))) }
        }
        return result
    }

    private func number(of value: SQLValue) throws -> UInt32 {
        if case .integer(let integer) = value {
            let (place, isNew) = integers.number(of: UInt64(bitPattern: integer))
            if isNew { integerNumbers.append(try append(value)) }
            return integerNumbers[Int(place)]
        }
        if let known = numbers[value] { return known }
        let number = try append(value)
        numbers[value] = number
        return number
    }

    private func append(_ value: SQLValue) throws -> UInt32 {
        try run.charge(2 * value.cost + 16)
        guard values.count < UInt32.max - 1 else { throw SQLFailure.limit("the query has too many groups") }
        values.append(value)
        return UInt32(values.count - 1)
    }
}

/// Numbers the tuples of some keys in the order in which they come.
final class SQLTupleInterner {
    private let interners: [SQLInterner]
    private var pairs: [SQLNumbering]
    /// Of each key the number of its value in each tuple.
    private var parts: [[UInt32]]
    private(set) var count = 0
    private let run: SQLRun

    init(keys: Int, _ run: SQLRun) {
        interners = (0..<keys).map { _ in SQLInterner(run) }
        pairs = Array(repeating: SQLNumbering(), count: max(0, keys - 1))
        parts = Array(repeating: [], count: keys)
        self.run = run
    }

    /// Without keys every row has the number 0.
    func numbers(of vectors: [SQLVector], count rows: Int) throws -> [Int] {
        guard !interners.isEmpty else {
            count = max(count, rows > 0 ? 1 : 0)
            return Array(repeating: 0, count: rows)
        }
        let numbers = try zip(interners, vectors).map { try $0.numbers(of: $1, count: rows) }
        var result = numbers[0]
        for key in numbers.indices.dropFirst() {
            let other = numbers[key]
            for row in 0..<rows {
                result[row] = pairs[key - 1].number(of: UInt64(result[row]) << 32 | UInt64(other[row])).number
            }
        }
        for row in 0..<rows where Int(result[row]) == count {
            for key in numbers.indices { parts[key].append(numbers[key][row]) }
            count += 1
            try run.charge(24 * numbers.count)
        }
        return result.map { Int($0) }
    }

    func value(_ key: Int, of number: Int) -> SQLValue { interners[key].values[Int(parts[key][number])] }
}
