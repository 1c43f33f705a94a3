// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension Catalog {
    package static let identities: [Operation] = reading + writing + tokens

    private static let reading: [Operation] = [
        Service.ram.read("ListUsers", ["MaxItems": 100]),
        Service.ram.read("GetUser", ["UserName": "‹user›"], on: .user),
        Service.ram.read("ListAccessKeys", ["UserName": "‹user›"], on: .user),
        Service.ram.read("ListPoliciesForUser", ["UserName": "‹user›"], on: .user),
        Service.ram.read("ListGroupsForUser", ["UserName": "‹user›"], on: .user),
        Service.ram.read("ListRoles", ["MaxItems": 100]),
        Service.ram.read("GetRole", ["RoleName": "‹role›"], on: .role),
        Service.ram.read("ListPoliciesForRole", ["RoleName": "‹role›"], on: .role),
        Service.ram.read("ListPolicies", ["PolicyType": "Custom", "MaxItems": 100]),
        Service.ram.read("GetPolicy", ["PolicyType": "Custom", "PolicyName": "‹policy›"], on: .policy),
        Service.ram.read(
            "GetPolicyVersion", ["PolicyType": "Custom", "PolicyName": "‹policy›", "VersionId": "v‹page›"],
            on: .policy),
    ]

    private static let writing: [Operation] = [
        Service.ram.write(
            "CreateUser", ["UserName": "‹user›", "DisplayName": "‹user›", "Comments": ""], on: .user,
            returns: [
                "RequestId": "‹requestId›",
                "User": ["UserName": "‹user›", "DisplayName": "‹user›", "CreateDate": "‹time›"],
            ]),
        Service.ram.write("DeleteUser", ["UserName": "‹user›"], on: .user),
        // The service never records the secret.
        Service.ram.write(
            "CreateAccessKey", ["UserName": "‹user›"], on: .user,
            returns: [
                "RequestId": "‹requestId›",
                "AccessKey": ["AccessKeyId": "‹keyId›", "Status": "Active", "CreateDate": "‹time›"],
            ]),
        Service.ram.write(
            "UpdateAccessKey", ["UserName": "‹user›", "UserAccessKeyId": "‹keyId›", "Status": "Inactive"],
            on: .user),
        Service.ram.write(
            "DeleteAccessKey", ["UserName": "‹user›", "UserAccessKeyId": "‹keyId›"], on: .user),
        Service.ram.write(
            "AttachPolicyToUser", ["PolicyType": "System", "PolicyName": "‹policy›", "UserName": "‹user›"],
            on: .user),
        Service.ram.write(
            "DetachPolicyFromUser", ["PolicyType": "System", "PolicyName": "‹policy›", "UserName": "‹user›"],
            on: .user),
        Service.ram.write(
            "UpdateRole",
            [
                "RoleName": "‹role›",
                "NewAssumeRolePolicyDocument": .document([
                    "Version": "1",
                    "Statement": [
                        [
                            "Effect": "Allow", "Action": "sts:AssumeRole",
                            "Principal": ["RAM": ["acs:ram::‹trusted›:root"]],
                        ]
                    ],
                ]),
            ], on: .role),
        Service.ram.write(
            "CreatePolicyVersion",
            [
                "PolicyName": "‹policy›", "SetAsDefault": true,
                "PolicyDocument": .document([
                    "Version": "1",
                    "Statement": [
                        [
                            "Effect": "Allow", "Action": ["oss:GetObject", "oss:ListObjects"],
                            "Resource": ["acs:oss:*:‹account›:‹bucket›", "acs:oss:*:‹account›:‹bucket›/*"],
                            "Condition": ["IpAddress": ["acs:SourceIp": "‹cidr›"]],
                        ]
                    ],
                ]),
            ], on: .policy),
    ]

    private static let tokens: [Operation] = [
        Service.sts.read("GetCallerIdentity", [:]),
        Service.sts.read(
            "AssumeRole",
            [
                "RoleArn": "acs:ram::‹account›:role/‹role›", "RoleSessionName": "run-‹build›",
                "DurationSeconds": 3600,
            ], on: .role
        ).returning([
            "RequestId": "‹requestId›",
            "AssumedRoleUser": ["Arn": "acs:ram::‹account›:role/‹role›/run-‹build›"],
            "Credentials": ["AccessKeyId": "STS.NEXAMPLE‹code›", "Expiration": "‹expiry›"],
        ]),
    ]
}

extension Operation {
    package func returning(_ response: JSON) -> Operation {
        var copy = self
        copy.response = response
        return copy
    }
}
