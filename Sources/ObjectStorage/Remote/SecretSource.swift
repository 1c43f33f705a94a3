// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation

/// Where a secret is read from; never the secret itself, so it may be printed.
public enum SecretSource: Sendable, Equatable {
    /// Read anew each time: a rotated file works without a restart. White space around the secret is dropped.
    case file(String)
    case environment(String)

    static let largestFile = 16 << 10

    /// - Throws: ``RemoteError`` that names the place, not what it holds.
    func read(_ environment: [String: String], for place: RemotePlace) throws(RemoteError) -> Secret {
        func failure(_ problem: String) -> RemoteError {
            RemoteError(.credentials, "read the secret of", place, problem: problem)
        }
        let text: String
        switch self {
        case .file(let path):
            guard let file = FileHandle(forReadingAtPath: path) else {
                throw failure("the file `\(path)` cannot be read: make it readable for this process")
            }
            defer { try? file.close() }
            guard let data = try? file.read(upToCount: Self.largestFile + 1), data.count <= Self.largestFile,
                let content = String(validating: data, as: UTF8.self)
            else { throw failure("the file `\(path)` is empty or does not look like a secret") }
            text = content.trimmingCharacters(in: .whitespacesAndNewlines)
            guard !text.isEmpty else { throw failure("the file `\(path)` is empty") }
        case .environment(let name):
            guard let value = environment[name]?.trimmingCharacters(in: .whitespacesAndNewlines), !value.isEmpty else {
                throw failure("the environment variable \(name) is not set")
            }
            text = value
        }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw failure("the secret has blanks, line ends or other bytes in it that no secret has")
        }
        return Secret(text)
    }
}
