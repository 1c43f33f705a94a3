// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Which resources a CloudTrail record is about.
enum CloudTrailResources {
    /// Adds what the record's own `resources` list names.
    static func add(listed: JSONValue?, to draft: inout EventDraft, _ scratch: inout ScratchPad) {
        listed?.forEachElement { resource in
            let name = scratch.text(resource.member("ARN") ?? resource.member("arn"))
            let type = scratch.text(resource.member("type"))
            draft.addResource(type.or(Text("AWS::Resource")), name)
        }
    }

    /// Adds what the well-known request parameters name.
    static func add(from parameters: JSONValue, to draft: inout EventDraft, _ scratch: inout ScratchPad) {
        let service = draft.serviceName
        var bucket = Text.none
        var key = Text.none
        parameters.forEachMember { name, value in
            guard let first = byParameter.value(of: name.content) else { return }
            if value.kind != .string {
                addInstances(value, name, to: &draft, &scratch)
                return
            }
            var index = first
            while index < rows.count, rows[index].parameter == rows[first].parameter {
                let row = rows[index]
                index += 1
                guard row.service.utf8CodeUnitCount == 0 || service.equals(row.service) else { continue }
                let text = scratch.text(value)
                switch row.role {
                case .name: draft.addResource(row.type, text)
                case .bucket:
                    bucket = text
                    draft.addResource(row.type, text)
                case .key: key = text
                }
                return
            }
        }
        if !bucket.isEmpty, !key.isEmpty {
            draft.addResource("AWS::S3::Object", scratch.join(bucket, "/", key))
        }
    }

    /// EC2 lists instances as `instancesSet.items[].instanceId`.
    private static func addInstances(
        _ set: JSONValue, _ name: JSONValue, to draft: inout EventDraft, _ scratch: inout ScratchPad
    ) {
        guard name.content.equals("instancesSet") else { return }
        set.member("items")?.forEachElement { item in
            draft.addResource("AWS::EC2::Instance", scratch.text(item.member("instanceId")))
        }
    }

    private enum Role {
        case name, bucket, key
    }

    private struct Row {
        var parameter: String
        var service: StaticString
        var type: StaticString
        var role = Role.name
    }

    private static let byParameter: NameTable = {
        var pairs: [(name: String, value: Int)] = []
        for (index, row) in rows.enumerated() where index == 0 || rows[index - 1].parameter != row.parameter {
            pairs.append((row.parameter, index))
        }
        return NameTable(pairs)
    }()

    /// Rows of one parameter stand together; the first whose service fits counts, an empty service fits all.
    private static let rows: [Row] = [
        Row(parameter: "bucketName", service: "", type: "AWS::S3::Bucket", role: .bucket),
        Row(parameter: "key", service: "s3", type: "AWS::S3::Object", role: .key),
        Row(parameter: "userName", service: "", type: "AWS::IAM::User"),
        Row(parameter: "roleName", service: "", type: "AWS::IAM::Role"),
        Row(parameter: "roleArn", service: "", type: "AWS::IAM::Role"),
        Row(parameter: "groupName", service: "iam", type: "AWS::IAM::Group"),
        Row(parameter: "groupName", service: "ec2", type: "AWS::EC2::SecurityGroup"),
        Row(parameter: "policyArn", service: "", type: "AWS::IAM::ManagedPolicy"),
        Row(parameter: "policyName", service: "iam", type: "AWS::IAM::Policy"),
        Row(parameter: "instanceProfileName", service: "", type: "AWS::IAM::InstanceProfile"),
        Row(parameter: "accessKeyId", service: "iam", type: "AWS::IAM::AccessKey"),
        Row(parameter: "serialNumber", service: "iam", type: "AWS::IAM::VirtualMFADevice"),
        Row(parameter: "sAMLProviderArn", service: "", type: "AWS::IAM::SAMLProvider"),
        Row(parameter: "openIDConnectProviderArn", service: "", type: "AWS::IAM::OIDCProvider"),
        Row(parameter: "instanceId", service: "", type: "AWS::EC2::Instance"),
        Row(parameter: "instancesSet", service: "", type: "AWS::EC2::Instance"),
        Row(parameter: "groupId", service: "ec2", type: "AWS::EC2::SecurityGroup"),
        Row(parameter: "groupId", service: "identitystore", type: "AWS::IdentityStore::Group"),
        Row(parameter: "vpcId", service: "", type: "AWS::EC2::VPC"),
        Row(parameter: "subnetId", service: "", type: "AWS::EC2::Subnet"),
        Row(parameter: "volumeId", service: "", type: "AWS::EC2::Volume"),
        Row(parameter: "snapshotId", service: "ec2", type: "AWS::EC2::Snapshot"),
        Row(parameter: "imageId", service: "ec2", type: "AWS::EC2::Image"),
        Row(parameter: "networkInterfaceId", service: "", type: "AWS::EC2::NetworkInterface"),
        Row(parameter: "networkAclId", service: "", type: "AWS::EC2::NetworkAcl"),
        Row(parameter: "routeTableId", service: "", type: "AWS::EC2::RouteTable"),
        Row(parameter: "internetGatewayId", service: "", type: "AWS::EC2::InternetGateway"),
        Row(parameter: "natGatewayId", service: "", type: "AWS::EC2::NatGateway"),
        Row(parameter: "keyName", service: "ec2", type: "AWS::EC2::KeyPair"),
        Row(parameter: "functionName", service: "", type: "AWS::Lambda::Function"),
        Row(parameter: "trailName", service: "", type: "AWS::CloudTrail::Trail"),
        Row(parameter: "name", service: "cloudtrail", type: "AWS::CloudTrail::Trail"),
        Row(parameter: "name", service: "ssm", type: "AWS::SSM::Parameter"),
        Row(parameter: "name", service: "secretsmanager", type: "AWS::SecretsManager::Secret"),
        Row(parameter: "name", service: "eks", type: "AWS::EKS::Cluster"),
        Row(parameter: "name", service: "events", type: "AWS::Events::Rule"),
        Row(parameter: "eventDataStore", service: "cloudtrail", type: "AWS::CloudTrail::EventDataStore"),
        Row(parameter: "keyId", service: "", type: "AWS::KMS::Key"),
        Row(parameter: "tableName", service: "dynamodb", type: "AWS::DynamoDB::Table"),
        Row(parameter: "tableName", service: "glue", type: "AWS::Glue::Table"),
        Row(parameter: "dBInstanceIdentifier", service: "", type: "AWS::RDS::DBInstance"),
        Row(parameter: "dBClusterIdentifier", service: "", type: "AWS::RDS::DBCluster"),
        Row(parameter: "dBSnapshotIdentifier", service: "", type: "AWS::RDS::DBSnapshot"),
        Row(parameter: "secretId", service: "", type: "AWS::SecretsManager::Secret"),
        Row(parameter: "topicArn", service: "", type: "AWS::SNS::Topic"),
        Row(parameter: "queueUrl", service: "", type: "AWS::SQS::Queue"),
        Row(parameter: "queueName", service: "sqs", type: "AWS::SQS::Queue"),
        Row(parameter: "stackName", service: "cloudformation", type: "AWS::CloudFormation::Stack"),
        Row(parameter: "logGroupName", service: "", type: "AWS::Logs::LogGroup"),
        Row(parameter: "logStreamName", service: "", type: "AWS::Logs::LogStream"),
        Row(parameter: "clusterName", service: "ecs", type: "AWS::ECS::Cluster"),
        Row(parameter: "clusterName", service: "eks", type: "AWS::EKS::Cluster"),
        Row(parameter: "repositoryName", service: "ecr", type: "AWS::ECR::Repository"),
        Row(parameter: "repositoryName", service: "codecommit", type: "AWS::CodeCommit::Repository"),
        Row(parameter: "detectorId", service: "guardduty", type: "AWS::GuardDuty::Detector"),
        Row(parameter: "configurationRecorderName", service: "config", type: "AWS::Config::ConfigurationRecorder"),
        Row(parameter: "hostedZoneId", service: "", type: "AWS::Route53::HostedZone"),
        Row(parameter: "streamName", service: "kinesis", type: "AWS::Kinesis::Stream"),
        Row(parameter: "loadBalancerArn", service: "", type: "AWS::ElasticLoadBalancingV2::LoadBalancer"),
        Row(parameter: "certificateArn", service: "acm", type: "AWS::CertificateManager::Certificate"),
        Row(parameter: "fileSystemId", service: "elasticfilesystem", type: "AWS::EFS::FileSystem"),
    ]
}
