// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import KeyManagement

/// A call of the key management API: its parameters in the words that KMS has for what is wrong with them, and the
/// permission it needs for the key it is about.
struct KeyCall: Sendable {
    let context: RPCContext
    let action: String
    /// Cryptographic calls show the key's tags to the policies, as `kms:tag/KEY`.
    let isCryptographic: Bool

    var keys: KeyService { context.services.keys }
    var account: String { context.accountId }
    var region: String { context.services.region }

    // MARK: Parameters

    /// - Throws: `MissingParameter` if it is absent or empty.
    func required(_ name: String) throws(RPCError) -> String {
        guard let value = optional(name) else { throw .missingParameter(name) }
        return value
    }

    /// A parameter that was sent and is not empty.
    func optional(_ name: String) -> String? { context.filled(name) }

    /// `Recipient` would have plaintext sealed for an enclave.
    func checkNoRecipient() throws(RPCError) {
        if optional("Recipient") != nil { throw .invalid("Recipient", "confidential computing is not supported") }
    }

    func flag(_ name: String) throws(RPCError) -> Bool? {
        switch optional(name)?.lowercased() {
        case nil: return nil
        case "true": return true
        case "false": return false
        default: throw .invalid(name, "it is neither true nor false")
        }
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(RPCError) -> Int? {
        guard let text = optional(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .invalid(name, "it is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func base64(_ name: String) throws(RPCError) -> Data {
        guard let bytes = Data(base64Encoded: try required(name)) else { throw .invalid(name, "it is not Base64") }
        return bytes
    }

    func encryptionContext(_ name: String = "EncryptionContext") throws -> EncryptionContext {
        try EncryptionContext(parsing: optional(name), as: name)
    }

    func json<Value: Decodable>(_ type: Value.Type, _ name: String, _ form: String) throws(RPCError) -> Value? {
        guard let text = optional(name) else { return nil }
        guard let value = try? JSONDecoder().decode(type, from: Data(text.utf8)) else {
            throw .invalid(name, "it is not \(form)")
        }
        return value
    }

    /// Values of `Name.1`, `Name.2`, …, in order.
    func list(_ name: String, limit: Int) throws(RPCError) -> [String] {
        var values: [String] = []
        while let value = context["\(name).\(values.count + 1)"] {
            guard values.count < limit else { throw .invalid(name, "there are more than \(limit)") }
            values.append(value)
        }
        return values
    }

    /// - Returns: the page asked for, and the answer's fields that tell of it.
    func page<Element>(
        _ all: [Element], sizes: ClosedRange<Int> = 1...100
    ) throws(RPCError) -> (elements: ArraySlice<Element>, fields: JSONFields) {
        let number = try integer("PageNumber", in: 1...Int(Int32.max)) ?? 1
        let size = try integer("PageSize", in: sizes) ?? 10
        var fields = JSONFields()
        fields.add(number, "PageNumber")
        fields.add(size, "PageSize")
        fields.add(all.count, "TotalCount")
        return (all.dropFirst((number - 1) * size).prefix(size), fields)
    }

    // MARK: Keys and permissions

    /// The key that a parameter names, once the caller is allowed to do this to it.
    ///
    /// Who may not even ask about such a key is told so, and not whether there is one.
    func key(_ parameter: String = "KeyId", takesAlias: Bool = false, as action: String? = nil) throws -> KeyRecord {
        let text = try required(parameter)
        let name = try KeyName(parsing: text, as: parameter)
        guard takesAlias || !name.isAlias else { throw KeyError.aliasNotSupported }
        let record: KeyRecord
        do { record = try keys.find(name, as: text, account: account, region: region) } catch {
            try authorize(action, on: resource(of: name, text))
            throw error
        }
        try authorize(on: record, as: action)
        return record
    }

    /// The key that a ciphertext was made with, once the caller is allowed to do this to it.
    func key(sealing ciphertext: Data, as action: String? = nil) throws -> KeyRecord {
        let record: KeyRecord
        do { record = try keys.find(sealing: ciphertext, region: region) } catch {
            try authorize(action, on: arn("key/unknown"))
            throw error
        }
        try authorize(on: record, as: action)
        return record
    }

    /// How taking a key away weakens trails; nil if none hangs on it.
    func weakening(of key: KeyRecord, _ verb: String) throws -> String? {
        let trails = try TrailKey.trails(hangingOn: key, in: context.services)
        guard !trails.isEmpty else { return nil }
        return "\(verb) the key \(key.id), on which the trail \(trails.joined(separator: ", ")) hangs"
    }

    func authorize(on record: KeyRecord, as action: String? = nil) throws {
        let policy = try record.policy.map { ResourcePolicy(try PolicyDocument(parsing: $0, as: .key), owner: record.account) }
        // Another account's key is nobody's unless its own policy says otherwise.
        guard record.account == account || policy != nil else { throw RPCError.noPermission }
        let tags = isCryptographic ? record.tags : [:]
        let conditions = Dictionary(uniqueKeysWithValues: tags.map { ("kms:tag/" + $0.key, [$0.value]) })
        try context.authorize(
            [AccessRequest("kms:" + (action ?? self.action), on: record.arn, conditions: conditions)], resourcePolicy: policy)
    }

    func authorize(_ action: String? = nil, on resource: String) throws {
        try context.authorize([AccessRequest("kms:" + (action ?? self.action), on: resource)])
    }

    /// Of something of the caller's account, such as `key`, `key/ID` or `alias/NAME`.
    func arn(_ relative: String) -> String { "acs:kms:\(region):\(account):\(relative)" }

    private func resource(of name: KeyName, _ text: String) -> String {
        switch name {
        case .id(let id): arn("key/" + id)
        case .alias(let alias): arn("alias/" + alias)
        case .arn, .aliasARN: text
        }
    }
}

extension RPCOperation {
    static func key(
        _ name: String, isWrite: Bool = false, _ run: @escaping @Sendable (KeyCall) async throws -> RPCAnswer
    ) -> RPCOperation {
        RPCOperation(name, isWrite: isWrite, resourceType: nil, permission: .inside) { context in
            do { return try await run(KeyCall(context: context, action: name, isCryptographic: false)) } catch let error
                as KeyError
            {
                throw RPCError(error)
            }
        }
    }

    /// A call that computes with a key and changes nothing; with `DryRun` it tells what would become of it.
    static func cryptography(
        _ name: String, _ run: @escaping @Sendable (KeyCall) async throws -> RPCAnswer
    ) -> RPCOperation {
        RPCOperation(name, isWrite: false, resourceType: nil, permission: .inside) { context in
            let call = KeyCall(context: context, action: name, isCryptographic: true)
            guard try call.flag("DryRun") == true else {
                do { return try await run(call) } catch let error as KeyError { throw RPCError(error) }
            }
            do { _ = try await run(call) } catch let denial as AccessDenial {
                throw RPCError(403, "AccessDeniedError", "The call would be refused: \(denial.reason).", denial: denial)
            } catch let error as RPCError {
                guard error.status != 403 else { throw RPCError(403, "AccessDeniedError", error.message) }
                throw RPCError(400, "ValidationError", error.message)
            } catch let error as KeyError {
                throw RPCError(400, "ValidationError", error.description)
            }
            throw RPCError(400, "DryRunOperationError", "The call would have succeeded, but DryRun was set.")
        }
    }
}
