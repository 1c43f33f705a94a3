// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

/// Proof vectors of transparency-dev/merkle (Apache-2.0), kept outside the project in `shared/data/merkle`.
enum SharedVectors {
    static let folder = SharedFolder.url.appending(path: "data/merkle")

    static var areHere: Bool { FileManager.default.fileExists(atPath: folder.path) }

    /// Every vector of one kind with its path, in the order of the paths; none if the folder is missing.
    static func load<Vector: Decodable>(_ kind: String, as type: Vector.Type) -> [(name: String, vector: Vector)] {
        let root = folder.appending(path: kind)
        let names = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted().compactMap { name in
            guard let data = try? Data(contentsOf: root.appending(path: name)) else { return nil }
            return (try? JSONDecoder().decode(type, from: data)).map { ("\(kind)/\(name)", $0) }
        }
    }
}
