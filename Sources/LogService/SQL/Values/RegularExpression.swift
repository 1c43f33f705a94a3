// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CPCRE2

/// A compiled pattern in the syntax of Perl, which that of Java resembles. Matching is bounded: a pattern that would go
/// back and forth for minutes ends with an error.
final class RegularExpression {
    private let code: OpaquePointer
    private let data: OpaquePointer
    private let context: OpaquePointer
    private let stack: OpaquePointer?
    let groups: Int

    static let maximumPatternBytes = 10_000

    init(_ pattern: String) throws {
        guard pattern.utf8.count <= RegularExpression.maximumPatternBytes else {
            throw SQLFailure.data("the regular expression is too long")
        }
        var errorCode: Int32 = 0
        var errorOffset = 0
        let options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK
        let bytes = Array(pattern.utf8)
        guard let code = pcre2_compile_8(bytes, bytes.count, options, &errorCode, &errorOffset, nil) else {
            var message = [UInt8](repeating: 0, count: 256)
            let length = pcre2_get_error_message_8(errorCode, &message, message.count)
            let text = length > 0 ? String(decoding: message.prefix(Int(length)), as: UTF8.self) : "it is malformed"
            throw SQLFailure.data("invalid regular expression '\(pattern.prefix(200))': \(text) at byte \(errorOffset)")
        }
        // Where there is no compiler to machine code the interpreter takes its place.
        _ = pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE)
        guard let data = pcre2_match_data_create_from_pattern_8(code, nil), let context = pcre2_match_context_create_8(nil) else {
            pcre2_code_free_8(code)
            throw SQLFailure.limit("no memory for a regular expression")
        }
        pcre2_set_match_limit_8(context, 1_000_000)
        pcre2_set_depth_limit_8(context, 10_000)
        pcre2_set_heap_limit_8(context, 16_384)
        stack = pcre2_jit_stack_create_8(32 << 10, 1 << 20, nil)
        pcre2_jit_stack_assign_8(context, nil, stack.map { UnsafeMutableRawPointer($0) })
        var count: UInt32 = 0
        _ = pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
        self.code = code
        self.data = data
        self.context = context
        groups = Int(count)
    }

    deinit {
        pcre2_match_context_free_8(context)
        pcre2_jit_stack_free_8(stack)
        pcre2_match_data_free_8(data)
        pcre2_code_free_8(code)
    }

    /// Byte ranges of the first match at or after a byte, the whole before its groups; a group that took no part is nil.
    func match(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int = 0, notEmpty: Bool = false) throws -> [Range<Int>?]? {
        guard start <= bytes.count else { return nil }
        let options = PCRE2_NO_UTF_CHECK | (notEmpty ? PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED : 0)
        // A pointer is needed even to no bytes.
        var nothing: UInt8 = 0
        let result = withUnsafePointer(to: &nothing) { none in
            pcre2_match_8(code, bytes.baseAddress ?? none, bytes.count, start, options, data, context)
        }
        if result == PCRE2_ERROR_NOMATCH { return nil }
        if result < 0 { throw SQLFailure.data("the regular expression takes too long on this text (\(result))") }
        guard let pairs = pcre2_get_ovector_pointer_8(data) else { return nil }
        return (0...groups).map { group in
            let (begin, end) = (pairs[2 * group], pairs[2 * group + 1])
            return group < Int(result) && begin <= end && end <= bytes.count ? begin..<end : nil
        }
    }

    func matches(_ text: String) throws -> Bool {
        var text = text
        return try text.withUTF8 { try match($0) != nil }
    }

    /// Every match in a text, none overlapping; after an empty one the search goes on behind it.
    func forEachMatch(in bytes: UnsafeBufferPointer<UInt8>, _ body: ([Range<Int>?], Range<Int>) throws -> Bool) throws {
        var start = 0
        var afterEmpty = false
        while start <= bytes.count {
            guard let groups = try match(bytes, from: start, notEmpty: afterEmpty), let whole = groups[0] else {
                if !afterEmpty { return }
                // Nothing but the empty match stands here: one character further.
                start += 1
                while start < bytes.count, bytes[start] & 0xC0 == 0x80 { start += 1 }
                afterEmpty = false
                continue
            }
            if try !body(groups, whole) { return }
            start = max(start, whole.upperBound)
            afterEmpty = whole.isEmpty
        }
    }
}
