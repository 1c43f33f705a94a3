// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Testing

@Suite struct `A CloudTrail record` {
    private func record(_ more: String) -> String {
        #"{"eventVersion":"1.08","eventID":"id-1","eventName":"PutObject","eventSource":"s3.amazonaws.com","#
            + #""awsRegion":"eu-west-1","eventTime":"2026-01-01T00:00:00Z"\#(more.isEmpty ? "" : ",")\#(more)}"#
    }

    @Test func `becomes an ActionTrail event`() throws {
        let batch = parse(
            record(
                #""requestID":"R","readOnly":false,"eventType":"AwsApiCall","eventCategory":"Data","apiVersion":"2006-03-01","sourceIPAddress":"192.0.2.7","userAgent":"aws \"cli\"","errorCode":"AccessDenied","errorMessage":"no\n","recipientAccountId":"222","requestParameters":{"bucketName":"logs","key":"a/b","n":1.0},"resources":[{"ARN":"arn:aws:s3:::logs","type":"AWS::S3::Bucket","accountId":"222"},{"ARN":"arn:aws:x"}],"userIdentity":{"type":"IAMUser","userName":"alice","principalId":"AIDA","accountId":"222","accessKeyId":"AKIA","sessionContext":{"attributes":{"mfaAuthenticated":"true","creationDate":"2026-01-01T00:00:00Z"}}}"#
            ))
        let object = try batch.object()
        let expected = [
            "eventId": "id-1", "eventVersion": "1", "eventCategory": "Data", "eventName": "PutObject",
            "eventRW": "Write",
            "eventType": "ApiCall", "eventSource": "s3.amazonaws.com", "eventTime": "2026-01-01T00:00:00Z",
            "acsRegion": "eu-west-1", "serviceName": "s3", "apiVersion": "2006-03-01", "requestId": "R",
            "sourceIpAddress": "192.0.2.7", "userAgent": "aws \"cli\"", "errorCode": "AccessDenied",
            "errorMessage": "no\n", "recipientAccountId": "222",
            "resourceType": "AWS::S3::Bucket;AWS::S3::Object;AWS::Resource",
            "resourceName": "logs,arn:aws:s3:::logs;logs/a/b;arn:aws:x", "userIdentity.type": "ram-user",
            "userIdentity.userName": "alice", "userIdentity.principalId": "AIDA", "userIdentity.accountId": "222",
            "userIdentity.accessKeyId": "AKIA", "userIdentity.sessionContext.attributes.mfaAuthenticated": "true",
        ]
        for (path, value) in expected { #expect(object.text(path) == value, "\(path)") }
        #expect(object["isGlobal"] as? Bool == false)
        #expect(batch.stored().contains(#""requestParameters":{"bucketName":"logs","key":"a/b","n":1.0}"#))
        #expect(
            batch.stored().contains(
                #""referencedResources":{"AWS::S3::Bucket":["logs","arn:aws:s3:::logs"],"AWS::S3::Object":["logs/a/b"],"AWS::Resource":["arn:aws:x"]}"#
            ))
        #expect(batch.values(.resourceName) == ["logs", "arn:aws:s3:::logs", "logs/a/b", "arn:aws:x"])
        #expect(batch.values(.user) == ["alice"])
    }

    @Test(
        arguments: [
            (#"{"type":"Root","principalId":"222","arn":"arn:aws:iam::222:root"}"#, "root-account", "root", nil),
            (#"{"type":"IAMUser","arn":"arn:aws:iam::222:user/team/bob"}"#, "ram-user", "bob", nil),
            (
                #"{"type":"AssumedRole","principalId":"AROA:sess","arn":"arn:aws:sts::222:assumed-role/Admin/sess"}"#,
                "assumed-role", "Admin:sess", "Admin"
            ),
            (
                #"{"type":"AssumedRole","arn":"arn:aws:sts::222:assumed-role\/Admin\/sess"}"#, "assumed-role",
                "Admin:sess",
                "Admin"
            ),
            (
                #"{"type":"AssumedRole","principalId":"AROA:s2","sessionContext":{"sessionIssuer":{"userName":"Ops"}}}"#,
                "assumed-role", "Ops:s2", "Ops"
            ),
            (#"{"type":"AWSService","invokedBy":"config.amazonaws.com"}"#, "system", "config.amazonaws.com", nil),
            (#"{"accountId":"2","invokedBy":"kms.amazonaws.com"}"#, "system", "kms.amazonaws.com", nil),
            (#"{"type":"FederatedUser","arn":"arn:aws:sts::2:federated-user/fred"}"#, "federated-user", "fred", nil),
            (#"{"type":"AWSAccount","accountId":"333"}"#, "alibaba-cloud-account", "333", nil),
            (#"{"type":"IdentityCenterUser","onBehalfOf":{"userId":"u-1"}}"#, "cloudsso-user", "u-1", nil),
            (#"{"type":"WebIdentityUser","userName":"w"}"#, "web-identity-user", "w", nil),
            (#"{"type":"SAMLUser","userName":"s"}"#, "saml-user", "s", nil),
            (#"{"type":"Unknown"}"#, "Unknown", nil, nil),
        ] as [(String, String, String?, String?)])
    func `has its caller named in ActionTrail's words`(identity: String, type: String, user: String?, role: String?)
        throws
    {
        let batch = parse(record(#""userIdentity":\#(identity)"#))
        let object = try batch.object()
        #expect(object.text("userIdentity.type") == type)
        #expect(object.text("userIdentity.userName") == user)
        #expect(batch.values(.roleName).first == role)
    }

    @Test(arguments: [
        ("AwsApiCall", "ApiCall"), ("AwsConsoleSignIn", "ConsoleSignin"), ("AwsServiceEvent", "AliyunServiceEvent"),
        ("AwsConsoleAction", "ConsoleOperation"), ("AwsCloudTrailInsight", "ActionTrailInsight"), ("New", "ApiCall"),
    ])
    func `has its type translated`(type: String, expected: String) {
        #expect(parse(record(#""eventType":"\#(type)""#)).values(.eventType) == [expected])
    }

    @Test func `is read or write by readOnly, else by its name`() {
        #expect(!parse(record(#""readOnly":true"#)).events[0].isWrite)
        #expect(!parse(record(#""readOnly":"true""#)).events[0].isWrite)
        #expect(parse(record("")).events[0].isWrite)
        #expect(!parse(record("").replacing("PutObject", with: "GetObject")).events[0].isWrite)
    }

    @Test func `has defaults from where it was received`() throws {
        let batch = parse(#"{"eventName":"x","eventSource":"iam.amazonaws.com"}"#)
        #expect(batch.text(of: batch.events[0].region) == "local-1")
        #expect(batch.text(of: batch.events[0].account) == "1000000000000001")
        #expect(batch.events[0].isGlobal)
        #expect(try batch.object()["userIdentity"] == nil)
        #expect(try batch.object().text("eventCategory") == "Management")
    }

    @Test(
        arguments: [
            (
                "ec2", #"{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]}}"#, "AWS::EC2::Instance",
                ["i-1", "i-2"]
            ),
            (
                "iam", #"{"userName":"bob","policyArn":"arn:p"}"#, "AWS::IAM::User;AWS::IAM::ManagedPolicy",
                ["bob", "arn:p"]
            ),
            ("ec2", #"{"groupId":"sg-1","groupName":"web"}"#, "AWS::EC2::SecurityGroup", ["sg-1", "web"]),
            ("iam", #"{"groupName":"devs"}"#, "AWS::IAM::Group", ["devs"]),
            ("cloudtrail", #"{"name":"main"}"#, "AWS::CloudTrail::Trail", ["main"]),
            ("ssm", #"{"name":"/p"}"#, "AWS::SSM::Parameter", ["/p"]), ("xray", #"{"name":"n"}"#, nil, []),
            ("lambda", #"{"functionName":"f"}"#, "AWS::Lambda::Function", ["f"]),
            ("kms", #"{"keyId":"k"}"#, "AWS::KMS::Key", ["k"]),
            ("dynamodb", #"{"tableName":"t"}"#, "AWS::DynamoDB::Table", ["t"]),
            ("rds", #"{"dBInstanceIdentifier":"d"}"#, "AWS::RDS::DBInstance", ["d"]),
            ("secretsmanager", #"{"secretId":"s","n":null,"roleName":5}"#, "AWS::SecretsManager::Secret", ["s"]),
            (
                "s3", #"{"key":"k","bucketName":"b,c"}"#, "AWS::S3::Bucket;AWS::S3::Object",
                ["b,c", "b,c/k", "b", "c", "c/k"]
            ),
        ] as [(String, String, String?, [String])])
    func `has its resources found in the parameters`(
        service: String, parameters: String, type: String?, names: [String]
    ) throws {
        let batch = parse(
            #"{"eventName":"X","eventSource":"\#(service).amazonaws.com","requestParameters":\#(parameters)}"#)
        #expect(try batch.object().text("resourceType") == type)
        #expect(batch.values(.resourceName) == names)
    }

    @Test func `with very many resources lists the first ones`() throws {
        let items = (0..<1000).map { #"{"ARN":"arn:\#($0)","type":"T\#($0)"}"# }.joined(separator: ",")
        let batch = parse(#"{"eventName":"X","awsRegion":"r","resources":[\#(items)]}"#)
        #expect((try batch.object()["referencedResources"] as? [String: Any])?.count == 128)
    }

    @Test func `is sensitive where ours would be`() {
        let open =
            #"{"eventName":"AuthorizeSecurityGroupIngress","eventSource":"ec2.amazonaws.com","requestParameters":{"ipPermissions":{"items":[{"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}}"#
        #expect(parse(open).values(.sensitiveAction) == ["true"])
        let signIn =
            #"{"eventName":"ConsoleLogin","eventSource":"signin.amazonaws.com","userIdentity":{"type":"Root"}}"#
        #expect(parse(signIn).values(.sensitiveAction) == ["true"])
    }
}
