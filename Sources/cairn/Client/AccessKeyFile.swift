// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A file of access keys with their secrets, mode 0600: `{"AccessKeys":[{"UserName", "AccessKeyId", "AccessKeySecret"}]}`.
struct AccessKeyFile {
    struct Key: Codable {
        var userName: String
        var accessKeyId: String
        var accessKeySecret: String

        enum CodingKeys: String, CodingKey {
            case userName = "UserName"
            case accessKeyId = "AccessKeyId"
            case accessKeySecret = "AccessKeySecret"
        }
    }

    private struct Content: Codable {
        var AccessKeys: [Key] = []
    }

    let path: String

    /// Whether keys can be kept here is found out before the first one is made: its secret is shown only once.
    ///
    /// - Throws: ``Failure`` of usage if others may read the file, if it is something else, or cannot be written.
    func check() throws {
        if FileManager.default.fileExists(atPath: path) {
            let mode = (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int ?? 0o777
            guard mode & 0o077 == 0 else {
                throw Failure.usage("`\(path)` can be read by others: chmod 600 it, or name another file")
            }
            _ = try keys()
            guard FileManager.default.isWritableFile(atPath: path) else { throw Failure.usage("`\(path)` cannot be written") }
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw Failure.usage("nothing can be written to the folder of `\(path)`")
        }
    }

    func keys() throws -> [Key] {
        guard let data = FileManager.default.contents(atPath: path), !data.isEmpty else { return [] }
        guard let content = try? JSONDecoder().decode(Content.self, from: data) else {
            throw Failure.usage("`\(path)` exists and does not hold access keys")
        }
        return content.AccessKeys
    }

    /// Adds a key; the file is whole at every moment, and never readable by others.
    func add(_ key: Key) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(Content(AccessKeys: try keys() + [key])) + Data("\n".utf8)
        let next = path + ".new"
        _ = unlink(next)
        let descriptor = open(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Failure.no("cannot write `\(next)`: \(String(cString: strerror(errno)))") }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: data)
            try handle.synchronize()
            try handle.close()
        } catch { throw Failure.no("cannot write `\(next)`: \(error)") }
        guard rename(next, path) == 0 else {
            throw Failure.no("cannot write `\(path)`: \(String(cString: strerror(errno)))")
        }
    }
}

extension AccessKeyFile.Key {
    /// From the answer of CreateAccessKey.
    init(_ answer: [String: Any], userName: String) throws {
        guard let key = answer["AccessKey"] as? [String: Any], let id = key["AccessKeyId"] as? String,
            let secret = key["AccessKeySecret"] as? String
        else { throw Failure.no("CreateAccessKey gave no access key") }
        self.init(userName: userName, accessKeyId: id, accessKeySecret: secret)
    }
}
