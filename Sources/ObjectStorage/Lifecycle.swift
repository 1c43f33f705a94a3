// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A bucket's lifecycle: the document as it was put, and what it means.
public struct Lifecycle: Codable, Sendable, Equatable {
    /// Given back byte for byte.
    public var document: String
    public var rules: [LifecycleRule]

    public init(document: String, rules: [LifecycleRule]) {
        self.document = document
        self.rules = rules
    }
}

/// One rule; what it does not say it does not do. Ages are counted in retention time (docs/decisions/0011).
public struct LifecycleRule: Codable, Sendable, Equatable {
    public enum Due: Codable, Sendable, Equatable {
        /// So many days after the object was written, or the upload begun.
        case days(Int)
        /// Everything that matches, from this moment on (`Date`).
        case date(Date)
        /// What was written before this moment (`CreatedBeforeDate`).
        case createdBefore(Date)
    }

    public var id: String
    public var prefix: String
    public var isEnabled: Bool
    /// All of them must be on the object.
    public var tags: [String: String]
    /// Current objects are deleted; in a versioned bucket they get a delete marker.
    public var expiration: Due?
    /// Delete markers that hide nothing any more go away.
    public var removesExpiredDeleteMarkers: Bool
    /// Unfinished multipart uploads are aborted.
    public var abortsUploads: Due?
    /// Older versions go so many days after they stopped being current.
    public var noncurrentDays: Int?

    public init(
        id: String, prefix: String = "", isEnabled: Bool = true, tags: [String: String] = [:], expiration: Due? = nil,
        removesExpiredDeleteMarkers: Bool = false, abortsUploads: Due? = nil, noncurrentDays: Int? = nil
    ) {
        self.id = id
        self.prefix = prefix
        self.isEnabled = isEnabled
        self.tags = tags
        self.expiration = expiration
        self.removesExpiredDeleteMarkers = removesExpiredDeleteMarkers
        self.abortsUploads = abortsUploads
        self.noncurrentDays = noncurrentDays
    }
}
