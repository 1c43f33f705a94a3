// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Why the directory of identities refuses something, with the vendor's code. Source: ram.md section 3.
public enum DirectoryError: Error, Sendable, Hashable {
    /// What an error is about; the raw value is the tail of the vendor's code.
    public enum Subject: String, Sendable {
        case user = "User"
        case group = "Group"
        case role = "Role"
        case policy = "Policy"
        case accessKey = "User.AccessKey"
        case membership = "User.Group"
        case userPolicy = "User.Policy"
        case groupPolicy = "Group.Policy"
        case rolePolicy = "Role.Policy"
        case groupUser = "Group.User"
        case policyUser = "Policy.User"
        case policyGroup = "Policy.Group"
        case loginProfile = "User.LoginProfile"
        /// The device that a user has.
        case userDevice = "User.MFADevice"
        case device = "VirtualMFADevice"
        case deviceUser = "VirtualMFADevice.User"
        case alias = "AccountAlias"
        case policyRole = "Policy.Role"
        case policyVersion = "Policy.Version"
        case defaultVersion = "Policy.Version.Default"
        /// Ours: something still works in the service-linked role.
        case roleTrail = "Role.Trail"
    }

    public enum Fault: String, Sendable {
        case characters = "InvalidChars"
        case length = "Length"
        case format = "Format"
        case range = "Range"
    }

    /// - Parameter field: the parameter's name.
    case invalid(field: String, Fault)
    /// - Parameter reason: where and why.
    case malformedPolicy(reason: String)
    case notFound(Subject)
    case alreadyExists(Subject)
    case inUse(Subject)
    case limitExceeded(Subject)
    /// Trust and policies of a service-linked role are fixed by its service.
    case serviceLinked
    case unknownService
    case tooManySessions
    /// - Parameter reason: what the password policy asks for.
    case weakPassword(reason: String)
    case oldPasswordIncorrect
    case passwordReused
    case wrongAuthenticationCode
    case tooManyAttempts
    /// A stored policy or secret cannot be read. Nothing may be decided without it.
    case damaged(String)

    public var httpStatus: Int {
        switch self {
        case .invalid, .malformedPolicy, .serviceLinked, .weakPassword, .oldPasswordIncorrect, .passwordReused: 400
        case .wrongAuthenticationCode: 403
        case .notFound, .unknownService: 404
        case .alreadyExists, .inUse, .limitExceeded: 409
        case .tooManySessions, .tooManyAttempts: 429
        case .damaged: 500
        }
    }

    public var code: String {
        switch self {
        case .invalid(let field, let fault): "InvalidParameter.\(field).\(fault.rawValue)"
        case .malformedPolicy: "MalformedPolicyDocument"
        case .notFound(let subject): "EntityNotExist." + subject.rawValue
        case .alreadyExists(let subject): "EntityAlreadyExists." + subject.rawValue
        case .inUse(let subject): "DeleteConflict." + subject.rawValue
        case .limitExceeded(let subject): "LimitExceeded." + subject.rawValue
        case .serviceLinked: "NotSupported.ServiceLinkedRole"
        case .unknownService: "EntityNotExist.ServiceName"
        case .tooManySessions, .tooManyAttempts: "Throttling.User"
        case .weakPassword: "InvalidParameter.Password.TooWeak"
        case .oldPasswordIncorrect: "InvalidParameter.OldPassword.Incorrect"
        case .passwordReused: "InvalidParameter.NewPassword.ReusePrevention"
        case .wrongAuthenticationCode: "CheckAuthenticationCodeFail"
        case .damaged: "InternalError"
        }
    }
}

extension DirectoryError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalid(let field, .characters): "The parameter \(field) contains characters that it must not have."
        case .invalid(let field, .length): "The parameter \(field) is too short or too long."
        case .invalid(let field, .format): "The parameter \(field) is malformed."
        case .invalid(let field, .range): "The parameter \(field) is out of range."
        case .malformedPolicy(let reason): "The policy document is malformed: \(reason)."
        case .notFound(let subject): "There is no such entity: \(subject.rawValue)."
        case .alreadyExists(let subject): "The entity exists already: \(subject.rawValue)."
        case .inUse(let subject): "The entity cannot be deleted as long as it has or is used by: \(subject.rawValue)."
        case .limitExceeded(let subject): "There are as many as there may be: \(subject.rawValue)."
        case .serviceLinked: "The role is linked to a service, which alone decides its trust and policies."
        case .unknownService: "No role can be linked to this service."
        case .tooManySessions: "Too many sessions are alive; try again later."
        case .weakPassword(let reason): "The password is too weak: \(reason)."
        case .oldPasswordIncorrect: "The old password is not correct."
        case .passwordReused: "The password was used before and may not be used again."
        case .wrongAuthenticationCode: "The authentication codes are not two consecutive codes of the device."
        case .tooManyAttempts: "Too many attempts failed within an hour; try again later."
        case .damaged(let what): "The stored \(what) cannot be read."
        }
    }
}
