// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import ObjectStorage

/// A call that the service answered with an error.
struct APIError: Error {
    /// What was called: `CreateTrail`, `PUT /bucket/?worm`.
    var operation: String
    var status: Int
    var code: String
    var message: String
    var denial: Denial?

    /// What the policies had against it; source: ram.md section 3 (`AccessDeniedDetail`).
    struct Denial {
        var action: String
        var resource: String
        var principal: String
        var isExplicit: Bool
        var policyType: String
        /// Policies and statements that matched; empty if none did.
        var matched: String
    }

    /// Of the api port: JSON.
    init(_ answer: APIClient.Answer, operation: String) {
        let body = (try? JSONSerialization.jsonObject(with: Data(answer.body))) as? [String: Any]
        self.operation = operation
        status = answer.status
        code = body?["Code"] as? String ?? "HTTP \(answer.status)"
        message = body?["Message"] as? String ?? String(decoding: answer.body.prefix(500), as: UTF8.self)
        let detail = body?["AccessDeniedDetail"] as? [String: Any]
        denial = detail.map { detail in Denial { detail[$0] as? String } }
    }

    /// Of the oss port: XML.
    init(oss answer: APIClient.Answer, operation: String) {
        let text = String(decoding: answer.body.prefix(10_000), as: UTF8.self)
        self.operation = operation
        status = answer.status
        code = XMLScan.first("Code", in: text) ?? "HTTP \(answer.status)"
        message = XMLScan.first("Message", in: text) ?? ""
        denial = XMLScan.elements("AccessDeniedDetail", in: text, limit: 1).first.map { detail in
            Denial { XMLScan.first($0, in: detail) }
        }
    }

    /// An answer that is not there, as opposed to one that may not be given: `EntityNotExist.User`, `NoSuchBucket`.
    var isNotFound: Bool { status == 404 && !isNotAllowed }

    private var isNotAllowed: Bool {
        if denial != nil || status == 401 || code.hasPrefix("InvalidAccessKeyId") { return true }
        // In KMS codes of 404 and 409 begin with `Forbidden.` too (kms.md section 7).
        guard status == 400 || status == 403 else { return false }
        return [
            "NoPermission", "Forbidden", "AccessDenied", "Signature", "IncompleteSignature", "InvalidSecurityToken",
            "MissingSecurityToken", "InvalidTimeStamp", "IllegalTimestamp", "RequestTimeTooSkewed",
        ].contains { code.hasPrefix($0) }
    }

    /// The end of a command that this error ends.
    var failure: Failure {
        if isNotAllowed || status >= 500 || status == 429 {
            return .unreachable(denial.map(describe) ?? "\(operation): \(code): \(message)")
        }
        let isBadInput = status == 400 && ["Missing", "Invalid", "Malformed"].contains { code.hasPrefix($0) }
        return Failure(code: isBadInput ? 2 : 1, message: "\(operation): \(code): \(message)")
    }

    private func describe(_ denial: Denial) -> String {
        var lines = ["not allowed: \(code)", "  who   \(denial.principal)", "  what  \(denial.action) on \(denial.resource)"]
        if denial.isExplicit {
            lines.append("  why   denied by \(denial.matched.isEmpty ? "a \(denial.policyType)" : denial.matched)")
        } else {
            lines.append("  why   no statement allows it (\(denial.policyType))")
        }
        return lines.joined(separator: "\n")
    }
}

extension APIError.Denial {
    /// From `AccessDeniedDetail`, by the names of its fields.
    fileprivate init(_ field: (String) -> String?) {
        action = field("AuthAction") ?? "?"
        resource = field("AuthResource") ?? "?"
        principal =
            "\(field("AuthPrincipalDisplayName") ?? "?") (\(field("AuthPrincipalType") ?? "?") of account "
            + "\(field("AuthPrincipalOwnerId") ?? "?"))"
        isExplicit = field("NoPermissionType") == "ExplicitDeny"
        policyType = field("PolicyType") ?? "policy"
        matched = field("MatchedStatements") ?? ""
    }
}
