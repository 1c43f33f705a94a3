// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Whose traffic it is: accounts, callers, where they call from and with what, and what they call about.
///
/// Nothing in it is real: addresses are from ranges for benchmarks and documentation (RFC 2544, RFC 3849), and key ids carry
/// the word EXAMPLE.
struct TrafficWorld {
    private static let accountCount = 20
    private static let callerCount = 2000
    private static let addressCount = 5000
    private static let agentCount = 250
    private static let resourceCount = 2000
    private static let nameCount = 4000

    static let callerExponent = 35
    static let addressExponent = 40
    static let regionExponent = 43
    private static let accountExponent = 38
    private static let agentExponent = 37

    let callers: [TrafficCaller]
    /// By the prefix of a service's resources.
    let resources: [String: [String]]
    let addresses: [String]
    let names: [String]
    let cidrs: [String]
    let vswitches: [String]
    let groups: [String]

    /// Most used first.
    static let regions = [
        "cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-shenzhen", "cn-hongkong", "ap-southeast-1", "cn-chengdu", "eu-central-1",
        "us-east-1",
        "cn-zhangjiakou", "ap-northeast-1", "us-west-1", "cn-guangzhou", "cn-qingdao", "ap-southeast-5", "me-central-1",
        "cn-huhehaote",
        "ap-southeast-7", "eu-west-1", "cn-wulanchabu",
    ]

    init(using generator: inout SplitMix64) {
        let addresses = (0..<Self.addressCount).map { _ in Self.address(using: &generator) }
        let agents = (0..<Self.agentCount).map { Self.agent($0, using: &generator) }
        let accounts = (0..<Self.accountCount).map { _ in "1" + generator.text(15, of: .digits) }
        let (accountDraw, addressDraw, agentDraw) = (
            Zipf(accounts.count, exponent: Self.accountExponent), Zipf(addresses.count, exponent: Self.addressExponent),
            Zipf(agents.count, exponent: Self.agentExponent)
        )
        // Kinds are dealt so that each has its share of the events, whatever the seed.
        var lacking = TrafficCaller.Kind.allCases.map { _ in 0.0 }
        let shares = TrafficCaller.Kind.allCases.map(\.share)
        let allShares = shares.reduce(0, +)
        var callers: [TrafficCaller] = []
        for rank in 0..<Self.callerCount {
            let weight = 1 / Zipf.power(Double(rank + 1), Self.callerExponent)
            for kind in shares.indices { lacking[kind] += weight * shares[kind] / allShares }
            let kind = lacking.indices.max { lacking[$0] < lacking[$1] }!
            lacking[kind] -= weight
            callers.append(
                TrafficCaller(
                    TrafficCaller.Kind.allCases[kind], account: accounts[accountDraw.next(using: &generator)],
                    addresses: (0..<generator.next(in: 1...4)).map { _ in addresses[addressDraw.next(using: &generator)] },
                    agents: (0..<generator.next(in: 1...3)).map { _ in agents[agentDraw.next(using: &generator)] },
                    using: &generator))
        }
        self.callers = callers
        self.addresses = addresses
        var resources: [String: [String]] = [:]
        for prefix in Set(TrafficService.all.map(\.prefix)).sorted() {
            let length = prefix.hasSuffix("1") ? 17 : 10
            resources[prefix] = (0..<Self.resourceCount).map { _ in prefix + generator.text(length, of: .lowercase) }
        }
        self.resources = resources
        let (parts, stages) = (
            ["shop", "search", "ledger", "mail", "stock", "media", "auth", "report"], ["prod", "stage", "test", "lab"]
        )
        names = (0..<Self.nameCount).map { _ in
            "\(parts[generator.next(below: parts.count)])-\(stages[generator.next(below: stages.count)])-"
                + generator.text(5, of: .lowercase)
        }
        cidrs =
            ["0.0.0.0/0", "10.0.0.0/8", "172.16.0.0/12"]
            + (0..<300).map { _ in "198.\(generator.next(in: 18...19)).\(generator.next(below: 256)).0/24" }
        vswitches = (0..<300).map { _ in "vsw-bp1" + generator.text(17, of: .lowercase) }
        groups = (0..<500).map { _ in "sg-bp1" + generator.text(17, of: .lowercase) }
    }

    private static func address(using generator: inout SplitMix64) -> String {
        if generator.chance(perMille: 40) {
            return "2001:db8" + (0..<6).map { _ in ":" + String(generator.next(in: 1...0xFFFF), radix: 16) }.joined()
        }
        return "198.\(generator.next(in: 18...19)).\(generator.next(below: 256)).\(generator.next(in: 1...254))"
    }

    /// Each `#` is a number.
    private static let agentForms = [
        "AlibabaCloud (Linux; amd64) Java/21.0.#-b# Core/0.3.# HTTPClient/ApacheHttpClient",
        "AlibabaCloud (linux; amd64) Golang/1.#.# Core/0.0.#",
        "aliyun-cli/3.0.# (linux; amd64) Go/1.# Core/0.#", "HashiCorp-Terraform/1.#.# Provider/1.2#.0 Terraform-Module/network",
        "AlibabaCloud (Darwin; arm64) Python/3.#.# Core/0.3.# TeaDSL/1 requests/2.32.3",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1#.0.#.# Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1#.0.0.# Safari/537.36",
        "aliyun-log-python-sdk/0.9.# (linux) py3.#", "aliyun-sdk-js/6.#.# (Linux/6.1.0-#.amd64/x64;v22.1.0)",
        "cluster-autoscaler/v1.#.#-aliyun.#",
    ]

    private static func agent(_ number: Int, using generator: inout SplitMix64) -> String {
        var agent = ""
        for character in agentForms[number % agentForms.count] {
            agent += character == "#" ? String(generator.next(in: 1...180)) : String(character)
        }
        return agent
    }
}
