// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What is protected, and by whom it is asked.
final class ProtectionSite {
    let api: APIClient
    let buckets: BucketClient
    let accountId: String
    let trail: String
    let bucket: String
    /// Least number of days that an object is kept unchanged.
    let days: Int
    /// Id, ARN or alias of the key that was asked for; without one the trail's own is used, or made.
    let keyReference: String?
    /// Of the keys of delivered objects; a trail that is made here has none.
    let keyPrefix: String
    /// The key, once it was found or made.
    var key: KeyMetadata?

    init(
        api: APIClient, buckets: BucketClient, accountId: String, trail: String, bucket: String, days: Int,
        keyReference: String?, keyPrefix: String
    ) {
        self.api = api
        self.buckets = buckets
        self.accountId = accountId
        self.trail = trail
        self.bucket = bucket
        self.days = days
        self.keyReference = keyReference
        self.keyPrefix = keyPrefix
    }

    /// The key's name for people.
    var alias: String { "alias/cairn-" + trail }

    /// An RPC call whose answer may be that the thing is not there (404).
    func ask(_ action: String, _ parameters: [(String, String)], of product: APIProduct) async throws -> [String: Any]? {
        do { return try await api.call(action, parameters, of: product) } catch let error as APIError {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    func question(_ query: String) async throws -> String? { try await buckets.text(bucket: bucket, query: [(query, "")]) }
}
