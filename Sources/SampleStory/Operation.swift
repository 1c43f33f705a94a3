// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One call a service offers, in the shape its events have.
struct Operation: Sendable {
    enum Kind: String, Sendable {
        case apiCall = "ApiCall"
        case consoleOperation = "ConsoleOperation"
        case serviceEvent = "AliyunServiceEvent"
        case signIn = "ConsoleSignin"
        case signOut = "ConsoleSignout"
    }

    var service: Service
    var name: String
    var writes: Bool
    var parameters: JSON
    var response: JSON?
    var resource: Resource?
    var kind = Kind.apiCall
    /// Data events tell of the objects inside a bucket, management events of everything else.
    var isDataEvent = false

    /// The name the routines and the story use, such as `Ecs.DescribeInstances`.
    var key: String { service.product + "." + name }

    func asDataEvent() -> Operation {
        var copy = self
        copy.isDataEvent = true
        return copy
    }

    func asKind(_ kind: Kind) -> Operation {
        var copy = self
        copy.kind = kind
        return copy
    }
}

/// What a call touched: the type and the id.
struct Resource: Sendable {
    var type: String
    var id: String

    init(_ type: String, _ id: Slot) {
        self.type = "ACS::" + type
        self.id = id.mark
    }

    static let instance = Resource("ECS::Instance", .instance)
    static let disk = Resource("ECS::Disk", .disk)
    static let snapshot = Resource("ECS::Snapshot", .snapshot)
    static let group = Resource("ECS::SecurityGroup", .group)
    static let vpc = Resource("VPC::VPC", .vpc)
    static let vswitch = Resource("VPC::VSwitch", .vswitch)
    static let table = Resource("VPC::RouteTable", .table)
    static let database = Resource("RDS::DBInstance", .database)
    static let balancer = Resource("SLB::LoadBalancer", .balancer)
    static let key = Resource("KMS::Key", .key)
    static let cluster = Resource("CS::Cluster", .cluster)
    static let bucket = Resource("OSS::Bucket", .bucket)
    static let project = Resource("SLS::Project", .project)
    static let domain = Resource("Alidns::Domain", .domain)
    static let user = Resource("RAM::User", .user)
    static let role = Resource("RAM::Role", .role)
    static let policy = Resource("RAM::Policy", .policy)
    static let trail = Resource("ActionTrail::Trail", .trail)
}

/// How a call ended.
enum Outcome: Int, CaseIterable, Sendable {
    case success, noPermission, throttled, wrongPassword
}
