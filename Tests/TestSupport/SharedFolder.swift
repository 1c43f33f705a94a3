// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Reference data that lie outside the repository: in `$CAIRN_SHARED`, or in `shared` beside the package.
package enum SharedFolder {
    package static let url: URL = {
        if let path = ProcessInfo.processInfo.environment["CAIRN_SHARED"] { return URL(filePath: path) }
        // <package>/Tests/TestSupport/SharedFolder.swift
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return package.deletingLastPathComponent().appending(path: "shared")
    }()

    package static let noVectors = "no reference/vectors in $CAIRN_SHARED or beside the package"

    /// The content of a JSON file of `reference/vectors`; nil where it is not there.
    package static func vectors<Content: Decodable>(
        _ name: String, keys: JSONDecoder.KeyDecodingStrategy = .useDefaultKeys
    ) -> Content? {
        guard let data = try? Data(contentsOf: url.appending(path: "reference/vectors/\(name)")) else { return nil }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = keys
        do { return try decoder.decode(Content.self, from: data) } catch {
            fatalError("\(name) has another layout than the tests know: \(error)")
        }
    }
}
