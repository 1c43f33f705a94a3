// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One call a service offers, in the shape its events have.
package struct Operation: Sendable {
    package enum Kind: String, Sendable {
        case apiCall = "ApiCall"
        case consoleOperation = "ConsoleOperation"
        case serviceEvent = "AliyunServiceEvent"
        case signIn = "ConsoleSignin"
        case signOut = "ConsoleSignout"
    }

    package var service: Service
    package var name: String
    package var writes: Bool
    package var parameters: JSON
    package var response: JSON?
    package var resource: Resource?
    package var kind = Kind.apiCall
    /// Data events tell of the objects inside a bucket, management events of everything else.
    package var isDataEvent = false

    /// The name the routines and the story use, such as `Ecs.DescribeInstances`.
    package var key: String { service.product + "." + name }

    package func asDataEvent() -> Operation {
        var copy = self
        copy.isDataEvent = true
        return copy
    }

    package func asKind(_ kind: Kind) -> Operation {
        var copy = self
        copy.kind = kind
        return copy
    }
}

/// What a call touched: the type and the id.
package struct Resource: Sendable {
    package var type: String
    package var id: String

    package init(_ type: String, _ id: Slot) {
        self.type = "ACS::" + type
        self.id = id.mark
    }

    package static let instance = Resource("ECS::Instance", .instance)
    package static let disk = Resource("ECS::Disk", .disk)
    package static let snapshot = Resource("ECS::Snapshot", .snapshot)
    package static let group = Resource("ECS::SecurityGroup", .group)
    package static let vpc = Resource("VPC::VPC", .vpc)
    package static let vswitch = Resource("VPC::VSwitch", .vswitch)
    package static let table = Resource("VPC::RouteTable", .table)
    package static let database = Resource("RDS::DBInstance", .database)
    package static let balancer = Resource("SLB::LoadBalancer", .balancer)
    package static let key = Resource("KMS::Key", .key)
    package static let cluster = Resource("CS::Cluster", .cluster)
    package static let bucket = Resource("OSS::Bucket", .bucket)
    package static let project = Resource("SLS::Project", .project)
    package static let domain = Resource("Alidns::Domain", .domain)
    package static let user = Resource("RAM::User", .user)
    package static let role = Resource("RAM::Role", .role)
    package static let policy = Resource("RAM::Policy", .policy)
    package static let trail = Resource("ActionTrail::Trail", .trail)
}

/// How a call ended.
package enum Outcome: Int, CaseIterable, Sendable {
    case success, noPermission, throttled, wrongPassword
}
