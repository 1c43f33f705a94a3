// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// Where an error happened: which bucket or log project, where, and what the configuration calls it.
public struct RemotePlace: Sendable, Equatable, CustomStringConvertible {
    /// The kind of a project of a log service.
    package static let logProject = "sls"

    public var name: String
    public var kind: String
    /// Or project.
    public var bucket: String
    public var endpoint: RemoteEndpoint

    package init(name: String, kind: String, bucket: String, endpoint: RemoteEndpoint) {
        self.name = name
        self.kind = kind
        self.bucket = bucket
        self.endpoint = endpoint
    }

    public var description: String {
        kind == Self.logProject
            ? "log project `\(bucket)` at \(endpoint) (remote log project `\(name)`)"
            : "\(kind) bucket `\(bucket)` at \(endpoint) (remote bucket `\(name)`)"
    }
}

/// What went wrong with a remote bucket or log project, where, and what to do. Holds no secret, token or signature.
public struct RemoteError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        /// No answer: name, connection, TLS, timeout, or an answer that broke off.
        case unreachable
        /// The store said no.
        case refused
        /// A protection that the settings demand is not there.
        case unprotected
        /// What the store holds or answered is not what was sent.
        case damaged
        /// The answer cannot be understood, or is larger than any answer should be.
        case unreadable
        /// A secret cannot be read, or a role not be taken on.
        case credentials
    }

    public var kind: Kind
    /// `put \`key\` into`
    public var action: String
    public var place: RemotePlace
    public var problem: String
    /// Of the answer, if there was one.
    public var status: Int?
    /// The store's error code.
    public var code: String?
    /// Seconds that the store asked to wait.
    public var retryAfter: Int?

    package init(
        _ kind: Kind, _ action: String, _ place: RemotePlace, problem: String, status: Int? = nil, code: String? = nil,
        retryAfter: Int? = nil
    ) {
        self.kind = kind
        self.action = action
        self.place = place
        self.problem = problem
        self.status = status
        self.code = code
        self.retryAfter = retryAfter
    }

    public var description: String { "cannot \(action) \(place): \(problem)" }
}

extension RemoteError {
    /// The error that an answer tells.
    init(_ action: String, _ place: RemotePlace, answer: RemoteAnswer) {
        let text = answer.body.isEmpty ? "" : String(decoding: answer.body.prefix(RemoteAnswer.errorLimit), as: UTF8.self)
        let message = XMLScan.first("Message", in: text).map { ": " + ForeignAnswer.plain($0) } ?? ""
        let code = answer.code
        let advice = Self.advice(answer, code: code, text: text).map { "; " + $0 } ?? ""
        self.init(
            .refused, action, place, problem: "\(answer.status) \(code ?? "without an error code")\(message)\(advice)",
            status: answer.status, code: code, retryAfter: answer.retryAfter)
    }

    private static func advice(_ answer: RemoteAnswer, code: String?, text: String) -> String? {
        if let region = XMLScan.first("Region", in: text) ?? answer["x-amz-bucket-region"],
            [301, 307, 400].contains(answer.status)
        {
            return "the bucket is in region `\(ForeignAnswer.plain(region))`: set `region` and `endpoint` to that"
        }
        if (300..<400).contains(answer.status) {
            return "the endpoint is not the bucket's: set `endpoint` to the one of its region"
        }
        switch code {
        case "NoSuchBucket": return "make the bucket, or correct `bucket`"
        case "SignatureDoesNotMatch": return "the secret does not belong to the access key, or `region` is wrong"
        case "InvalidAccessKeyId": return "correct `access-key-id`, or enable the key"
        case "RequestTimeTooSkewed": return "set this machine's clock"
        case "SecondLevelDomainForbidden": return "this endpoint takes no `path-style`"
        case "ExpiredToken", "SecurityTokenExpired", "InvalidSecurityToken", "InvalidToken": return "give a new session token"
        case "UserDisable": return "the account is in arrears or closed"
        case "ObjectLockConfigurationNotFoundError", "InvalidRequest":
            return "a bucket takes retention only if it was made with Object Lock"
        case "InvalidBucketState": return "the bucket's state does not allow it: look at its versioning and Object Lock"
        case "KeyDisabled", "KeyPendingDeletion", "KmsServiceNotEnabled", "KeyNotFound": return aboutKey
        case "NotImplemented": return "the store does not know a header that was sent, often because it has no KMS configured"
        case "AccessDenied": return aboutPermission
        case .some(let code) where code.hasPrefix("KMS."): return aboutKey
        // HEAD has no body to say it in.
        case nil where answer.status == 403: return aboutPermission
        default: return nil
        }
    }

    private static let aboutPermission =
        "the access key needs the permission for it (put, get and list objects, read the bucket's settings, set retention, use "
        + "the KMS key)"

    private static let aboutKey = "enable the KMS key that `kms-key-id` names, or name another"
}
