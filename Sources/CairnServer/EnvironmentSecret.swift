// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A secret that is given in a variable or, with `_FILE` behind its name, in a file; never in a flag, where every process
/// of the machine could read it.
public enum EnvironmentSecret {
    /// The file cannot be used; what it holds is not told.
    public struct Unreadable: Error, CustomStringConvertible {
        public var description: String
    }

    /// - Returns: nil if it is given in neither way. A line feed at the end of a file is dropped.
    public static func read(_ variable: String, in environment: [String: String]) throws(Unreadable) -> String? {
        if let text = environment[variable], !text.isEmpty { return text }
        guard let path = environment[variable + "_FILE"], !path.isEmpty else { return nil }
        guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8) else {
            throw Unreadable(description: "the file of \(variable)_FILE, `\(path)`, cannot be read")
        }
        let line = text.hasSuffix("\n") ? String(text.dropLast()) : text
        guard !line.isEmpty else { throw Unreadable(description: "the file of \(variable)_FILE, `\(path)`, is empty") }
        return line
    }
}
