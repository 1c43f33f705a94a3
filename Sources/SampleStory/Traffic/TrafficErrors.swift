// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What calls end with when they fail.
enum TrafficErrors {
    /// Of a thousand calls, so many fail.
    static let perMille = 70
    static let exponent = 46

    /// Most frequent first: code and message.
    private static let all: [(String, String)] = [
        (
            "NoPermission",
            "The caller may not do this. Resource: \(TrafficSlot.resource.mark), action: \(TrafficSlot.action.mark)."
        ),
        ("Throttling.User", "There were too many calls by this user in a short time."),
        ("Forbidden.RAM", "No policy of the caller allows this, or the operation is not one that policies can allow."),
        ("InvalidInstanceId.NotFound", "There is no resource with the id \(TrafficSlot.resource.mark)."),
        ("InvalidParameter", "A parameter has a value that is not allowed."),
        ("IncorrectInstanceStatus", "The resource is in a state in which this cannot be done with it."),
        ("EntityNotExist.User", "There is no user of this name."),
        ("InvalidSecurityToken.Expired", "The session of the security token is over."),
        ("QuotaExceed.Instance", "There are as many of these resources as there may be."),
        ("SignatureDoesNotMatch", "The signature that was sent is not the one that the service calculates."),
        ("InvalidAccessKeyId.NotFound", "There is no access key with this id."),
        ("OperationConflict", "Another operation is at work on the resource."),
        ("ServiceUnavailable", "The service cannot answer for the moment."),
        ("MissingParameter", "A parameter that the operation needs is missing from the request."),
        ("InternalError", "The service failed for a reason of its own."),
        ("NoSuchLifecycle", "The bucket has no such configuration."),
        ("EntityAlreadyExists.Role", "There is such a role already."),
        ("DependencyViolation", "Another resource still needs this one."),
    ]

    static let texts = all.map { "\"errorCode\":\"\($0.0)\",\"errorMessage\":\"\($0.1)\"," }
}
