// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A customer's key, as DescribeKey tells of it; source: kms.md section 3.2.
struct KeyMetadata {
    let id: String
    let arn: String
    let state: String
    let spec: String
    let usage: String
    let origin: String
    let description: String
    let createdAt: String
    /// Disabled, Enabled or Suspended.
    let automaticRotation: String
    let rotationSeconds: Int?
    let isProtectedFromDeletion: Bool
    /// Everything the service said.
    let fields: [String: Any]

    init(_ fields: [String: Any]) {
        func text(_ name: String) -> String { fields[name] as? String ?? "" }
        self.fields = fields
        id = text("KeyId")
        arn = text("Arn")
        state = text("KeyState")
        spec = text("KeySpec")
        usage = text("KeyUsage")
        origin = text("Origin")
        description = text("Description")
        createdAt = text("CreationDate")
        automaticRotation = text("AutomaticRotation")
        rotationSeconds = Self.seconds(text("RotationInterval"))
        isProtectedFromDeletion = text("DeletionProtection") == "Enabled"
    }

    /// Seconds of `31536000s` or `365d`.
    private static func seconds(_ text: String) -> Int? {
        guard let unit = text.last, let number = Int(text.dropLast()),
            let length = ["s": 1, "m": 60, "h": 3600, "d": 86_400][unit]
        else { return nil }
        return number.multipliedReportingOverflow(by: length).partialValue
    }

    var rotation: String {
        guard automaticRotation != "Disabled", let rotationSeconds else { return "off" }
        let days = "every \(rotationSeconds / 86_400) days"
        return automaticRotation == "Enabled" ? days : days + ", suspended"
    }
}

extension APIClient {
    /// A key by id, ARN or alias; nil if there is none.
    func key(_ reference: String) async throws -> KeyMetadata? {
        do {
            let answer = try await call("DescribeKey", [("KeyId", reference)], of: .keys)
            return (answer["KeyMetadata"] as? [String: Any]).map(KeyMetadata.init)
        } catch let error as APIError {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    /// Ids of all keys of the account.
    func keyIds() async throws -> [String] {
        try await pages("ListKeys", container: "Keys", item: "Key", of: .keys).compactMap { $0["KeyId"] as? String }
    }

    /// Names of all aliases, by the id of their key.
    func aliases() async throws -> [String: [String]] {
        let aliases = try await pages("ListAliases", container: "Aliases", item: "Alias", of: .keys)
        return Dictionary(
            aliases.map { ($0["KeyId"] as? String ?? "", [$0["AliasName"] as? String ?? ""]) }, uniquingKeysWith: { $0 + $1 })
    }

    /// All items of a list that KMS gives by page number, or RAM by marker.
    func pages(
        _ action: String, _ parameters: [(String, String)] = [], container: String, item: String, of product: APIProduct
    ) async throws -> [[String: Any]] {
        var items: [[String: Any]] = []
        var page = product == .keys ? [("PageNumber", "1"), ("PageSize", "100")] : [("MaxItems", "1000")]
        while true {
            let answer = try await call(action, parameters + page, of: product)
            let found = (answer[container] as? [String: Any])?[item] as? [[String: Any]] ?? []
            items += found
            if product == .keys {
                guard !found.isEmpty, items.count < answer["TotalCount"] as? Int ?? 0 else { return items }
                page[0].1 = String((answer["PageNumber"] as? Int ?? 1) + 1)
            } else {
                guard answer["IsTruncated"] as? Bool == true, let marker = answer["Marker"] as? String else { return items }
                page = [("MaxItems", "1000"), ("Marker", marker)]
            }
        }
    }
}
