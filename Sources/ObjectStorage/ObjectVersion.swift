// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The place of a deleted object in the list of its versions.
public struct DeleteMarker: Codable, Sendable, Equatable {
    public internal(set) var bucket: String
    public internal(set) var key: String
    public internal(set) var versionId: String
    public internal(set) var modifiedAt: Date
    var retainedFrom: Int64
    var order: Int64
}

/// An entry of ``EmbeddedObjectStore/versions(bucket:prefix:afterKey:afterVersionId:limit:)``.
public struct ObjectVersion: Sendable, Equatable {
    public enum Content: Sendable, Equatable {
        case object(StoredObject)
        case deleteMarker(DeleteMarker)
    }

    public var content: Content
    public var isLatest: Bool

    public var key: String {
        switch content {
        case .object(let object): object.key
        case .deleteMarker(let marker): marker.key
        }
    }

    /// `null` for what has no id of its own.
    public var versionId: String {
        switch content {
        case .object(let object): object.versionId ?? "null"
        case .deleteMarker(let marker): marker.versionId
        }
    }
}

/// What a key, or one version of it, stands for.
public enum ObjectLookup: Sendable, Equatable {
    case object(StoredObject)
    /// Without a version id in the question: the newest version is a marker (404 with `x-oss-delete-marker`); with one:
    /// the id is a marker's (405).
    case deleteMarker(DeleteMarker)
    case missing
}

/// What a delete did.
public struct DeleteOutcome: Sendable, Equatable {
    public var key: String
    /// The version the caller named.
    public var versionId: String?
    /// The id of the marker that was put, or that was removed.
    public var markerVersionId: String?
    /// A marker was put (no version named) or removed (its version named).
    public var isDeleteMarker: Bool { markerVersionId != nil }
}
