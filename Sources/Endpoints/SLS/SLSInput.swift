// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService

/// A value of a JSON body that a client sent, read leniently: booleans and numbers may come as texts.
enum SLSInput: Decodable, Sendable {
    case text(String)
    case integer(Int64)
    case number(Double)
    case flag(Bool)
    case object([String: SLSInput])
    case array([SLSInput])
    /// Null, and what lies deeper than any parameter does.
    case nothing

    private static let deepest = 4

    init(from decoder: any Decoder) throws {
        guard decoder.codingPath.count <= Self.deepest else {
            self = .nothing
            return
        }
        if let members = try? decoder.container(keyedBy: Key.self) {
            var object: [String: SLSInput] = [:]
            for key in members.allKeys { object[key.stringValue] = try members.decode(SLSInput.self, forKey: key) }
            self = .object(object)
            return
        }
        if var elements = try? decoder.unkeyedContainer() {
            var array: [SLSInput] = []
            while !elements.isAtEnd { array.append(try elements.decode(SLSInput.self)) }
            self = .array(array)
            return
        }
        let value = try decoder.singleValueContainer()
        if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let integer = try? value.decode(Int64.self) {
            self = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else {
            self = .nothing
        }
    }

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }
    }

    /// Of a value that stands for itself.
    var plain: String? {
        switch self {
        case .text(let text): text
        case .integer(let integer): String(integer)
        case .number(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .object, .array, .nothing: nil
        }
    }
}

/// The members of a JSON body, or the parameters of a query: the one is read as the other.
struct SLSFields: Sendable {
    private let members: [String: SLSInput]

    init(_ members: [String: SLSInput]) { self.members = members }

    /// - Throws: `ParameterInvalid` unless the body is an object.
    init(json body: [UInt8]) throws(LogServiceError) {
        guard case .object(let members) = try Self.value(json: body) else { throw .parameter("The body is no JSON object.") }
        self.members = members
    }

    static func value(json body: [UInt8]) throws(LogServiceError) -> SLSInput {
        do { return try JSONDecoder().decode(SLSInput.self, from: Data(body)) } catch {
            throw .parameter("The body is not valid JSON.")
        }
    }

    /// What stands for itself, for the record of the call.
    var plain: [(name: String, value: String)] {
        members.compactMap { member in member.value.plain.map { (member.key, $0) } }.sorted { $0.name < $1.name }
    }

    func has(_ name: String) -> Bool { if case nil = members[name] { false } else { true } }

    /// Nil where it is absent or null.
    func text(_ name: String) throws(LogServiceError) -> String? {
        switch members[name] {
        case nil, .nothing?: return nil
        case let value?:
            guard let text = value.plain else { throw .parameter("\(name) has the wrong type.") }
            return text
        }
    }

    func filled(_ name: String) throws(LogServiceError) -> String {
        guard let text = try text(name), !text.isEmpty else { throw .parameter("\(name) is missing.") }
        return text
    }

    /// - Parameter code: of the error.
    func integer(_ name: String, code: String = "ParameterInvalid") throws(LogServiceError) -> Int64? {
        if case .number(let number)? = members[name], let integer = Int64(exactly: number) { return integer }
        guard let text = try text(name), !text.isEmpty else { return nil }
        guard let integer = Int64(text) else { throw LogServiceError(400, code, "\(name) is no number.") }
        return integer
    }

    func integer(_ name: String, in range: ClosedRange<Int>, code: String = "ParameterInvalid") throws(LogServiceError) -> Int? {
        guard let integer = try integer(name, code: code) else { return nil }
        guard let number = Int(exactly: integer), range.contains(number) else {
            throw LogServiceError(400, code, "\(name) must be from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    /// `True` from Python, `true` from others.
    func flag(_ name: String, code: String = "ParameterInvalid") throws(LogServiceError) -> Bool? {
        switch try text(name)?.lowercased() {
        case nil, "": return nil
        case "true", "1": return true
        case "false", "0": return false
        default: throw LogServiceError(400, code, "\(name) is neither true nor false.")
        }
    }

    /// Nil where it is absent or null.
    func object(_ name: String) throws(LogServiceError) -> SLSFields? {
        switch members[name] {
        case nil, .nothing?: return nil
        case .object(let members)?: return SLSFields(members)
        default: throw .parameter("\(name) is no object.")
        }
    }
}
