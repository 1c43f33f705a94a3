// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A place in JSON text: steps over tokens, checking them, and copies what is not white space in long runs.
struct Cursor {
    var at: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>
    private(set) var newlines = 0
    private(set) var reason = JSONFailure.Reason.unexpectedEnd

    private var destination: UnsafeMutablePointer<UInt8>?
    private var runStart: UnsafePointer<UInt8>
    /// The address that offset 0 would have; it moves along with each gap that is left out.
    private var zero: Int

    init(
        at start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>, destination: UnsafeMutablePointer<UInt8>?,
        origin: Int
    ) {
        at = start
        self.end = end
        self.destination = destination
        runStart = start
        zero = Int(bitPattern: start) &- origin
    }

    /// The offset that `at` has in what is written.
    @inline(__always)
    var position: UInt32 { UInt32(truncatingIfNeeded: Int(bitPattern: at) &- zero) }

    mutating func fail(_ reason: JSONFailure.Reason) -> UnsafePointer<UInt8>? {
        self.reason = reason
        return nil
    }

    mutating func failed(_ reason: JSONFailure.Reason) -> Bool {
        self.reason = reason
        return false
    }

    /// Writes out the run that ends at `stop`, and returns the offset behind it.
    mutating func flush(upTo stop: UnsafePointer<UInt8>) -> Int {
        let count = stop - runStart
        if let target = destination {
            target.update(from: runStart, count: count)
            destination = target + count
        }
        runStart = stop
        return Int(bitPattern: stop) &- zero
    }

    @inline(__always)
    static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// Goes to the next token; false, with a reason, if there is none.
    @inline(__always)
    mutating func skipWhitespace() -> Bool {
        guard at < end else { return failed(.unexpectedEnd) }
        if at.pointee > 0x20 { return true }
        return skipGap()
    }

    @inline(never)
    private mutating func skipGap() -> Bool {
        let gap = at
        var stop = at
        while stop < end, Self.isWhitespace(stop.pointee) {
            if stop.pointee == 0x0A { newlines &+= 1 }
            stop += 1
        }
        if destination != nil {
            _ = flush(upTo: gap)
            runStart = stop
            zero &+= stop - gap
        }
        at = stop
        return stop < end ? true : failed(.unexpectedEnd)
    }

    mutating func skipWord(_ word: StaticString) -> Bool {
        let expected = word.utf8Start
        for index in 0..<word.utf8CodeUnitCount {
            guard at < end else { return failed(.unexpectedEnd) }
            guard at.pointee == expected[index] else { return failed(.unexpectedByte) }
            at += 1
        }
        return true
    }

    @inline(__always)
    private func isDigit(_ pointer: UnsafePointer<UInt8>) -> Bool {
        pointer < end && pointer.pointee &- 48 < 10
    }

    mutating func skipNumber() -> Bool {
        if at.pointee == UInt8(ascii: "-") { at += 1 }
        guard isDigit(at) else { return failed(at < end ? .badNumber : .unexpectedEnd) }
        if at.pointee == UInt8(ascii: "0") {
            at += 1
            guard !isDigit(at) else { return failed(.badNumber) }
        } else {
            skipDigits()
        }
        guard at < end else { return true }
        if at.pointee == UInt8(ascii: ".") {
            at += 1
            guard isDigit(at) else { return failed(at < end ? .badNumber : .unexpectedEnd) }
            skipDigits()
            guard at < end else { return true }
        }
        if at.pointee | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < end, at.pointee == UInt8(ascii: "+") || at.pointee == UInt8(ascii: "-") { at += 1 }
            guard isDigit(at) else { return failed(at < end ? .badNumber : .unexpectedEnd) }
            skipDigits()
        }
        return true
    }

    @inline(__always)
    private mutating func skipDigits() {
        while isDigit(at) { at += 1 }
    }

    /// Steps from a string's opening quote to behind its closing one.
    @inline(__always)
    mutating func skipString(_ hasEscapes: inout Bool) -> Bool {
        at += 1
        while true {
            // Eight plain bytes at a time. The lowest flagged byte is right; higher ones may be flagged by borrow.
            while end - at >= 8 {
                let word = UnsafeRawPointer(at).loadUnaligned(as: UInt64.self)
                let special = Self.specialBytes(UInt64(littleEndian: word))
                if special != 0 {
                    at += special.trailingZeroBitCount >> 3
                    break
                }
                at += 8
            }
            guard at < end else { return failed(.unexpectedEnd) }
            let byte = at.pointee
            if byte == UInt8(ascii: "\"") {
                at += 1
                return true
            }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                guard skipEscape() else { return false }
            } else if byte < 0x20 {
                return failed(.controlCharacter)
            } else if byte < 0x80 {
                at += 1
            } else if !skipNonASCII() {
                return false
            }
        }
    }

    /// The high bit of each byte that is a quote, a backslash, a control character or not ASCII.
    @inline(__always)
    private static func specialBytes(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = (word ^ (ones &* 0x22)) &- ones
        let backslashes = (word ^ (ones &* 0x5C)) &- ones
        let controls = word &- (ones &* 0x20)
        return (quotes | backslashes | controls | word) & (ones &* 0x80)
    }

    @inline(__always)
    private mutating func skipEscape() -> Bool {
        guard end - at >= 2 else {
            at = end
            return failed(.unexpectedEnd)
        }
        switch at[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 2
            return true
        case UInt8(ascii: "u"):
            guard end - at >= 6 else {
                at = end
                return failed(.unexpectedEnd)
            }
            for index in 2..<6 where JSONText.hexValue(at[index]) == nil { return failed(.badEscape) }
            at += 6
            return true
        default:
            return failed(.badEscape)
        }
    }

    /// Steps over one scalar of two to four bytes, in the well-formed ranges of Unicode's table 3-7.
    @inline(never)
    private mutating func skipNonASCII() -> Bool {
        let lead = at.pointee
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0:
            length = 3
            second = 0xA0...0xBF
        case 0xED:
            length = 3
            second = 0x80...0x9F
        case 0xE1...0xEF: length = 3
        case 0xF0:
            length = 4
            second = 0x90...0xBF
        case 0xF1...0xF3: length = 4
        case 0xF4:
            length = 4
            second = 0x80...0x8F
        default: return failed(.badUTF8)
        }
        guard end - at >= length else { return failed(.badUTF8) }
        guard second.contains(at[1]) else { return failed(.badUTF8) }
        for index in 2..<max(length, 2) where at[index] & 0xC0 != 0x80 { return failed(.badUTF8) }
        at += length
        return true
    }
}
