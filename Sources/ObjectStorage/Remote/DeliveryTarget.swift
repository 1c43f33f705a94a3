// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a trail needs of the place it delivers to: objects that are written once and read back.
///
/// Objects of one delivery step are at most some 20 MB, so each is put whole: no target does multipart uploads.
public protocol DeliveryTarget: Sendable {
    /// Kind, bucket and address, for logs and errors.
    var location: String { get }

    /// Puts an object that must not be there yet, or be there with exactly this content.
    ///
    /// Repeating a put whose outcome is unknown is safe: the answer is then `isNew` false.
    ///
    /// - Throws: ``TargetConflict`` if the key has other content, which stays as it is; whatever else went wrong.
    func put(_ key: String, _ content: [UInt8], contentType: String) async throws -> PutReceipt

    /// The newest content of a key; nil if there is none.
    func read(_ key: String) async throws -> [UInt8]?

    /// Objects in byte order of their keys, after `marker`, some thousand at most.
    ///
    /// - Returns: an empty page if there are no more.
    func list(prefix: String, after marker: String) async throws -> [TargetEntry]

    /// Finds out what protects objects there.
    ///
    /// - Throws: if the bucket cannot be used, or lacks a protection that the settings demand.
    func check() async throws -> TargetProtection
}

public struct PutReceipt: Sendable, Equatable {
    /// False if the object had been there before, with the same content.
    public var isNew: Bool
    /// The version that holds it, if the store has versions and told.
    public var versionId: String?

    public init(isNew: Bool, versionId: String? = nil) {
        self.isNew = isNew
        self.versionId = versionId
    }
}

/// An object in a list.
public struct TargetEntry: Sendable, Equatable {
    public var key: String
    /// Bytes of content.
    public var size: Int64

    public init(key: String, size: Int64) {
        self.key = key
        self.size = size
    }
}

/// A key is taken by other content. Nothing was overwritten: somebody else wrote there, or changed what was delivered.
public struct TargetConflict: Error, Equatable, CustomStringConvertible {
    public var key: String
    public var location: String

    public init(key: String, location: String) {
        self.key = key
        self.location = location
    }

    public var description: String {
        "`\(key)` in \(location) has other content than what is to be delivered; it was not overwritten: find out who wrote "
            + "it, keep a copy as evidence, and move it away if it may be moved"
    }
}
