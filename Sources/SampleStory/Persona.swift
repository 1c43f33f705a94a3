// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Someone or something that makes calls, seen through one kind of credential.
///
/// A person has two: the console session (named as the person) and the own access key (`mira/key`).
package struct Persona: Sendable {
    package enum Credential: Sendable {
        case rootConsole
        case console(user: String, mfa: Bool)
        case accessKey(user: String)
        case role(String, session: String)
        case service(String)
    }

    package var name: String
    package var credential: Credential
    package var addresses: [String]
    package var agents: [String]
    package var isInsideNetwork = false

    /// Inside the console the agent is the console's host, except while signing in.
    package var usesConsole: Bool {
        switch credential {
        case .rootConsole, .console: true
        case .accessKey, .role, .service: false
        }
    }

    /// The name events show as `userIdentity.userName`.
    package var userName: String {
        switch credential {
        case .rootConsole: "root"
        case .console(let user, _), .accessKey(let user): user
        case .role(let role, let session): role + ":" + session
        case .service(let host): host
        }
    }

    package var isMFAChecked: Bool {
        switch credential {
        case .rootConsole: true
        case .console(_, let mfa): mfa
        case .accessKey, .role, .service: false
        }
    }

    package static let leakedKey = "\(Company.pipelineUser)/leaked"
    package static let backdoor = Company.backdoorUser
    package static let root = "root"

    package static let serviceRoles = [
        "aliyuncsmanagedkubernetesrole", "aliyunserviceroleforslsaudit", "app-server", "monitor-agent",
    ]
    package static let roleNames = [Company.backupRole, "terraform-runner", "ops-admin"] + serviceRoles
}

extension Persona {
    /// Everyone of the sample, in an order that never changes.
    package static let all: [Persona] = people + machines + roles + strangers

    private static let webKit = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"

    private static let browsers = [
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) \(webKit)",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) \(webKit) Edg/138.0.0.0",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ]

    private static let tools = [
        "aliyun-cli/3.0.292 (darwin; arm64)", "aliyun-cli/3.0.284 (linux; amd64)",
        "AlibabaCloud (Darwin; arm64) Python/3.12.4 Core/0.3.16 TeaDSL/1",
    ]

    private static let people: [Persona] = Company.people.enumerated().flatMap { number, name in
        let addresses = ["192.0.2.\(10 + number % 3)", "192.0.2.\(10 + number % 3)", "198.51.100.\(20 + number)"]
        return [
            Persona(
                name: name, credential: .console(user: name, mfa: number % 4 != 1), addresses: addresses,
                agents: [browsers[number % browsers.count]]),
            Persona(
                name: name + "/key", credential: .accessKey(user: name), addresses: addresses,
                agents: [tools[number % tools.count]]),
        ]
    }

    private static let machines: [Persona] = [
        Persona(
            name: Company.pipelineUser, credential: .accessKey(user: Company.pipelineUser),
            addresses: ["192.0.2.40", "192.0.2.41", "192.0.2.42"],
            agents: [
                "AlibabaCloud (Linux; x86_64) Python/3.11.9 Core/0.3.16 TeaDSL/1 deployer/4.7",
                "aliyun-sdk-go/1.62.840 (linux; amd64)",
            ]),
        Persona(
            name: "cert-manager", credential: .accessKey(user: "cert-manager"), addresses: ["10.20.6.11"],
            agents: ["AlibabaCloud (linux; amd64) Golang/1.23.4 Core/0.01 TeaDSL/1"], isInsideNetwork: true),
        Persona(
            name: "log-shipper", credential: .accessKey(user: "log-shipper"),
            addresses: (10..<26).map { "10.21.4.\($0)" }, agents: ["aliyun-log-ilogtail/2.1.3 (Linux x86_64)"],
            isInsideNetwork: true),
        Persona(
            name: "kms", credential: .service("kms.aliyuncs.com"), addresses: ["Internal"],
            agents: ["kms.aliyuncs.com"]),
        Persona(
            name: "ecs", credential: .service("ecs.aliyuncs.com"), addresses: ["Internal"],
            agents: ["ecs.aliyuncs.com"]),
    ]

    private static let roles: [Persona] = [
        Persona(
            name: "terraform", credential: .role("terraform-runner", session: "terraform-main"),
            addresses: ["192.0.2.40", "192.0.2.43"],
            agents: ["HashiCorp-Terraform/1.12.2 Provider/1.253.0 Terraform-Module/network"]),
        Persona(
            name: "backup", credential: .role(Company.backupRole, session: "nightly-backup"),
            addresses: ["10.20.8.30"], agents: ["AlibabaCloud (Linux; x86_64) Java/21.0.3 Core/0.3.4 TeaDSL/1"],
            isInsideNetwork: true),
        Persona(
            name: "kubernetes", credential: .role("aliyuncsmanagedkubernetesrole", session: "cloud-controller"),
            addresses: ["cs.aliyuncs.com"], agents: ["cs.aliyuncs.com"]),
        Persona(
            name: "log-audit", credential: .role("aliyunserviceroleforslsaudit", session: "slsaudit"),
            addresses: ["audit.log.aliyuncs.com"], agents: ["audit.log.aliyuncs.com"]),
        Persona(
            name: "application", credential: .role("app-server", session: "orders-7d9f"),
            addresses: (0..<60).map { "10.20.\(16 + $0 / 20).\(10 + $0 % 20)" },
            agents: [
                "AlibabaCloud (Linux; x86_64) Java/21.0.3 Core/0.3.4 TeaDSL/1",
                "aliyun-sdk-java/3.18.1(Linux/5.10.134/amd64;21.0.3)",
            ], isInsideNetwork: true),
        Persona(
            name: "monitor", credential: .role("monitor-agent", session: "prober"),
            addresses: ["10.20.9.5", "10.20.9.6"], agents: ["prometheus-cloud-exporter/0.27 Golang/1.23.4"],
            isInsideNetwork: true),
    ]

    private static let strangers: [Persona] = [
        Persona(name: root, credential: .rootConsole, addresses: ["192.0.2.11"], agents: [browsers[1]]),
        Persona(
            name: leakedKey, credential: .accessKey(user: Company.pipelineUser),
            addresses: [Company.intruderAddresses[0]],
            agents: ["AlibabaCloud (Linux; x86_64) Python/3.13.1 Core/1.0.0 TeaDSL/2"]),
        Persona(
            name: backdoor, credential: .accessKey(user: Company.backdoorUser),
            addresses: [Company.intruderAddresses[1]], agents: ["aliyun-cli/3.0.301 (linux; amd64)"]),
    ]
}
