// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The company the sample tells of: what it owns, who works there and which keys they hold.
///
/// - Shape: everything follows from the seed, the account and the region; the number of events only adds machines.
package struct Company: Sendable {
    package static let domain = "lanternworks.example"
    package static let customerBucket = "lanternworks-customer-data"
    package static let trail = "lanternworks-audit"
    package static let pipelineUser = "ci-deploy"
    package static let securityPerson = "ines"
    package static let forgetfulPerson = "oskar"
    package static let backdoorUser = "svc-metrics-sync"
    package static let backupRole = "backup-runner"
    package static let intruderAddresses = ["203.0.113.66", "203.0.113.187"]

    package static let developers = ["mira", "tomas", "jun", "leila", forgetfulPerson, "priya"]
    package static let analysts = ["kaito", "samira"]
    package static let others = ["bo", "greta", securityPerson, "luca"]
    package static let people = developers + analysts + others

    package let account: String
    package let region: String
    package let pipelineKey: String
    package let rotatedPipelineKey: String
    package let backdoorKey: String
    package let foreignAccount: String
    package let vpcId: String
    private(set) var pools: [Slot: [String]]
    private let principals: [String: String]
    private let keys: [String: String]

    package static let principalNames =
        ["root"] + people + [pipelineUser, backdoorUser, "cert-manager", "log-shipper"] + Persona.roleNames

    package init(seed: UInt64, account: String, region: String, eventCount: Int) {
        var generator = SplitMix64(seed: seed, stream: 1)
        func ids(_ count: Int, _ prefix: String, _ length: Int, _ alphabet: Alphabet = .lowercase) -> [String] {
            (0..<count).map { _ in prefix + generator.text(length, of: alphabet) }
        }
        func accessKey() -> String {
            "LTAI5t" + generator.text(5, of: .mixed) + "EXAMPLE" + generator.text(4, of: .mixed)
        }
        self.account = account
        self.region = region
        pipelineKey = accessKey()
        rotatedPipelineKey = accessKey()
        backdoorKey = accessKey()
        foreignAccount = "19" + generator.text(14, of: .digits)

        var principals = ["root": account]
        var keys = [Company.pipelineUser: pipelineKey, Company.backdoorUser: backdoorKey]
        for name in Company.principalNames.dropFirst() {
            principals[name] = (Persona.roleNames.contains(name) ? "3" : "2") + generator.text(17, of: .digits)
            keys[name] = keys[name] ?? accessKey()
        }
        self.principals = principals
        self.keys = keys

        let vpcs = ids(2, "vpc-bp1", 17)
        vpcId = vpcs[0]
        pools = [
            .group: ids(9, "sg-bp1", 17), .vpc: vpcs, .vswitch: ids(5, "vsw-bp1", 17), .table: ids(3, "vtb-bp1", 17),
            .database: ids(5, "rm-bp1", 14), .balancer: ids(6, "lb-bp1", 17),
            .key: ids(4, "key-hzz", 20, .hexadecimal), .cluster: ids(2, "c", 32, .hexadecimal),
            .nodePool: ids(4, "np", 32, .hexadecimal), .image: ids(6, "m-bp1", 17),
            .bucket: Company.buckets, .project: ["lanternworks-app", "lanternworks-audit", "k8s-log-main"],
            .logstore: ["app", "ingress", "audit", "worker", "pipeline"],
            .domain: [Company.domain, "api.\(Company.domain)"], .user: Company.people, .role: Persona.roleNames,
            .policy: ["deploy-artifacts", "read-logs", "operate-clusters", "billing-view"],
            .instanceType: ["ecs.g7.large", "ecs.g7.xlarge", "ecs.c7.2xlarge", "ecs.r7.xlarge"],
            .cidr: ["10.20.0.0/16", "10.21.4.0/24", "10.30.8.0/22", "192.0.2.0/28"], .trail: [Company.trail],
            .acl: ["private"], .keyId: Company.people.map { keys[$0]! }, .trusted: [account],
            .attribute: ["User"], .amount: ["1", "2"],
        ]
        let machines = min(24 + eventCount / 5000, 4000)
        pools[.instance] = ids(machines, "i-bp1", 17)
        pools[.disk] = ids(machines * 2, "d-bp1", 17)
    }

    package static let buckets = [
        customerBucket, "lanternworks-build-artifacts", "lanternworks-audit-log", "lanternworks-backups",
        "lanternworks-analytics",
    ]

    package func principal(_ name: String) -> String { principals[name]! }
    package func accessKey(of name: String) -> String { keys[name]! }
    package func first(_ slot: Slot) -> String { pools[slot]![0] }

    /// A far region where the company has nothing, whatever its own region is.
    package var unusualRegion: String { region == "us-west-1" ? "eu-central-1" : "us-west-1" }
}
