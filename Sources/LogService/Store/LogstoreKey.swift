// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import KeyManagement

/// Wraps the data keys of a logstore's files: the customer's key if the logstore names one, else the service's.
///
/// Files written before a change of key stay as they are: what wrapped theirs opens it.
struct LogstoreKey: DataKeyWrapper {
    private let service: ServiceKey
    /// Also of a logstore that is not encrypted under it any more: older files are.
    private let customer: CustomerKey?
    private let wrapsByCustomer: Bool

    /// - Throws: ``LogServiceError`` for a choice that is not to be had, or if there is no such key.
    init(of logstore: Logstore, keys: KeyService, region: String) throws {
        service = try keys.serviceKey("logstores")
        wrapsByCustomer = logstore.encryption?.isEnabled ?? false
        customer = try Self.customerKey(of: logstore, keys: keys, region: region)
    }

    private static func customerKey(of logstore: Logstore, keys: KeyService, region: String) throws -> CustomerKey? {
        guard let encryption = logstore.encryption else { return nil }
        guard encryption.type == "default" else {
            throw LogServiceError.parameter(
                "encrypt_type `\(encryption.type)` is not to be had: logs are encrypted with AES-256-GCM, which is `default`")
        }
        guard let id = encryption.keyId else { return nil }
        if let other = encryption.regionId, other != region {
            throw LogServiceError.parameter("the key must be in the region of the project, which is \(region), not \(other)")
        }
        do { return try keys.customerKey(id, account: logstore.account, region: region) } catch let error as KeyError {
            throw refusal(of: logstore, error)
        }
    }

    /// Asked before each use of a logstore.
    ///
    /// - Throws: ``LogServiceError`` if the key that new logs are encrypted under cannot be used.
    static func checkUsable(of logstore: Logstore, keys: KeyService, region: String) throws {
        guard logstore.encryption?.isEnabled ?? false else { return }
        let customer = try customerKey(of: logstore, keys: keys, region: region)
        do { try customer?.checkUsable() } catch { throw refusal(of: logstore, error) }
    }

    static func refusal(of logstore: Logstore, _ error: any Error) -> LogServiceError {
        LogServiceError(
            403, "Unauthorized",
            "the logs of logstore \(logstore.name) are encrypted under a KMS key that cannot be used: \(error)")
    }

    func newDataKey(context: some DataProtocol) throws -> DataKey {
        if let customer, wrapsByCustomer { return try customer.newDataKey(context: context) }
        return try service.newDataKey(context: context)
    }

    func unwrap(_ wrapped: some DataProtocol, context: some DataProtocol) throws -> SymmetricKey {
        if let customer, !ServiceKey.hasWrapped(wrapped) { return try customer.unwrap(wrapped, context: context) }
        return try service.unwrap(wrapped, context: context)
    }
}
