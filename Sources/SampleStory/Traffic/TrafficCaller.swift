// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Who calls: a person, a program with a key, a role, or a service.
struct TrafficCaller {
    enum Kind: CaseIterable {
        case key, role, serviceRole, console, service, directory, root

        /// Of a thousand events, so many are by callers of this kind.
        var share: Double {
            switch self {
            case .key: 377
            case .role: 213
            case .serviceRole: 171
            case .console: 205
            case .service: 17
            case .directory: 11
            case .root: 6
            }
        }
    }

    var kind: Kind
    var account: String
    /// The object `userIdentity`, with slots.
    var identity: String
    /// Where it calls from, one of sixteen calls aside.
    var addresses: [String]
    var agents: [String]

    /// Whether its calls come from within the cloud only.
    var isInside: Bool { kind == .service || kind == .serviceRole }
}

extension TrafficCaller {
    init(_ kind: Kind, account: String, addresses: [String], agents: [String], using generator: inout SplitMix64) {
        self.kind = kind
        self.account = account
        func one(of values: [String]) -> String { values[generator.next(below: values.count)] }
        let person = one(of: Self.firstNames) + "." + one(of: Self.lastNames)
        let number = generator.chance(perMille: 400) ? String(generator.next(in: 1...99)) : ""
        let code = generator.text(4, of: .lowercase)
        let digits = generator.text(17, of: .digits)
        let session: JSON = [
            "attributes": [
                "creationDate": .text(TrafficSlot.time.mark),
                "mfaAuthenticated": generator.chance(perMille: 250) ? "true" : "false",
            ]
        ]
        var fields: [(String, JSON)] = []
        var principal = "2" + digits
        let (type, name): (String, String)
        switch kind {
        case .key:
            (type, name) = ("ram-user", "bot-\(one(of: Self.duties))-\(code)")
            fields = [("accessKeyId", .text("LTAI5t\(generator.text(11, of: .mixed))EXAMPLE"))]
        case .role, .serviceRole:
            let service = one(of: Self.serviceRoles)
            let duty = "\(one(of: Self.duties))-\(code.dropLast())"
            let caller = generator.chance(perMille: 600) ? generator.text(8, of: .lowercase) : person
            let sessionName = kind == .role ? caller : String(service.split(separator: "-").last!)
            (type, name) = ("assumed-role", (kind == .role ? duty : service) + ":" + sessionName)
            principal = "3\(digits):\(sessionName)"
            fields = [("accessKeyId", .text("STS.N\(generator.text(5, of: .mixed))EXAMPLE\(TrafficSlot.session.mark)"))]
        case .console: (type, name) = ("ram-user", person + number)
        case .directory: (type, name) = ("cloudsso-user", "\(person)@\(generator.text(6, of: .lowercase)).example.com")
        case .root: (type, name) = ("root-account", "root")
        case .service: (type, name) = ("system", one(of: ["ecs", "ess", "rds", "cs", "oss", "slb"]) + ".aliyuncs.com")
        }
        if kind == .root || kind == .service { principal = account }
        fields += [("accountId", .text(account)), ("principalId", .text(principal))]
        switch kind {
        case .service: break
        case .key: fields.append(("sessionContext", ["attributes": ["mfaAuthenticated": "false"]]))
        default: fields.append(("sessionContext", session))
        }
        fields += [("type", .text(type)), ("userName", .text(name))]
        identity = JSON.object(fields.map { .init(name: $0.0, value: $0.1) }).serialized
        switch kind {
        case .service: (self.addresses, self.agents) = ([name], [name])
        case .serviceRole:
            let host = String(name.split(separator: ":").last!) + ".aliyuncs.com"
            (self.addresses, self.agents) = ([host], [host])
        case .console, .directory, .root:
            self.addresses = addresses
            self.agents = agents.indices.map { _ in one(of: Self.consoles) + ".console.aliyun.com" }
        case .key, .role: (self.addresses, self.agents) = (addresses, agents)
        }
    }

    private static let firstNames = [
        "anna", "bela", "chen", "dora", "emil", "fatma", "goran", "hana", "igor", "jin", "kaori", "lars", "mina", "nadia", "omar",
        "petra",
        "qing", "rosa", "sven", "tomas", "uma", "vera", "wanda", "xin", "yusuf", "zora", "ming", "hong", "rui", "jun",
    ]
    private static let lastNames = [
        "adler", "bauer", "cheng", "deng", "ekberg", "feng", "garcia", "huber", "ivanov", "jiang", "kowalski", "lu", "mao",
        "novak", "olsen",
        "pan", "qiu", "ricci", "song", "tang", "urban", "vogel", "weiss", "xie", "yilmaz",
    ]
    private static let duties = [
        "build", "release", "backup", "billing", "inventory", "observer", "ingest", "export", "cluster", "dns-sync", "rotation",
        "compliance",
        "scaling", "mirror",
    ]
    private static let serviceRoles = [
        "aliyuncsdefaultrole-cs", "aliyunserviceroleforautoscaling-ess", "aliyunserviceroleforsls-slsaudit",
        "aliyunfcdefaultrole-fc",
        "aliyunserviceroleforconfig-config", "aliyunoosdefaultrole-oos", "aliyunserviceroleforactiontrail-actiontrail",
        "aliyunmanagedkubernetesrole-cs",
    ]
    private static let consoles = [
        "ecs", "vpc", "oss", "rds", "ram", "sls", "cs", "kms", "cms", "slb", "billing", "actiontrail", "fc", "dns",
    ]
}
