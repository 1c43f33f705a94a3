// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import DurableFiles
import Foundation
import KeyManagement
import Metadata
import ObjectStorage

/// Measures the guards from inside, on one thread: decisions of policies, data keys, encrypted objects against plain
/// copies of files.
struct GuardBench {
    static let objectSize = 64 << 20
    static let rounds = 5

    let folder: String

    func run() async throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try decisions()
        let disk = LocalDisk()
        let metadata = try Metadata(path: folder + "/metadata.sqlite")
        let keys = try KeyService(metadata: metadata, rootKeyPath: folder + "/root.key", disk: disk)
        try dataKeys(keys)
        try await objects(keys, metadata, disk)
    }

    // MARK: Policies

    private struct OneUser: IdentityPolicies {
        let found: CallerPolicies
        func policies(of caller: Caller) throws -> CallerPolicies { found }
    }

    /// A user with ten policies of five statements each; the last statement of the last one allows.
    private func decisions() throws {
        let policies = try (0..<10).map { number in
            let statements = (0..<5).map { statement in
                let action = number == 9 && statement == 4 ? "kms:Decrypt" : "service\(number):Operation\(statement)*"
                return """
                    {"Effect":"\(statement == 3 ? "Deny" : "Allow")","Action":["\(action)"],"Resource":["acs:*:*:*:key/audit-\(number)*"],
                     "Condition":{"IpAddress":{"acs:SourceIp":["10.0.0.0/8","192.0.2.1"]}}}
                    """
            }
            return NamedPolicy(
                name: "policy\(number)", type: .custom,
                document: try PolicyDocument(
                    parsing: "{\"Version\":\"1\",\"Statement\":[\(statements.joined(separator: ","))]}", as: .identity))
        }
        let authorizer = Authorizer(policies: OneUser(found: CallerPolicies(identity: policies)))
        let caller = Caller.ramUser(id: "2", name: "bench", accountId: "1", accessKeyId: "LTAI")
        let circumstances = RequestCircumstances(
            sourceAddress: "10.1.2.3", isSecureTransport: false, at: WireTime(secondsSince1970: 1_770_000_000))
        for (what, resource) in [("allowed", "acs:kms:r:1:key/audit-9x"), ("not allowed", "acs:kms:r:1:key/other")] {
            let request = AccessRequest("kms:Decrypt", on: resource)
            let rate = try perSecond {
                for _ in 0..<1000 { _ = try authorizer.decide(caller, [request], in: circumstances) }
                return 1000
            }
            print("decisions   \(rate) a second, \(what); ten policies of five statements")
        }
    }

    // MARK: Keys

    private func dataKeys(_ keys: KeyService) throws {
        let record = try keys.createKey(NewKey(), account: "1", region: "local-1")
        let key = try keys.customerKey(record.id, account: "1", region: "local-1")
        let context = Data("bench".utf8)
        let made = try perSecond {
            for _ in 0..<1000 { _ = try key.newDataKey(context: context) }
            return 1000
        }
        let wrapped = try key.newDataKey(context: context).wrapped
        let opened = try perSecond {
            for _ in 0..<1000 { _ = try key.unwrap(wrapped, context: context) }
            return 1000
        }
        print("data keys   \(made) made a second, \(opened) opened a second, by a customer's key")
    }

    // MARK: Objects

    private func objects(_ keys: KeyService, _ metadata: Metadata, _ disk: LocalDisk) async throws {
        let store = try EmbeddedObjectStore(
            folder: folder + "/objects", region: "local-1", disk: disk, keys: keys, metadata: metadata, now: { Date() },
            customerKey: { name, account in
                let id = name ?? keys.keys(account: account, region: "local-1").first!.id
                return CustomerObjectKey(id: id, wrapper: try keys.customerKey(id, account: account, region: "local-1"))
            })
        _ = try store.createBucket("bench", owner: "1")
        var content = [UInt8](repeating: 0, count: Self.objectSize)
        for index in content.indices { content[index] = UInt8(truncatingIfNeeded: index &* 2_654_435_761 >> 13) }
        let plain = folder + "/plain"
        try Data(content).write(to: URL(fileURLWithPath: plain))

        let copied = try median { try copy(plain, folder + "/copy", disk) }
        let read = try median { try readThrough(plain, disk) }
        for (name, choice) in [("SSE-OSS", EncryptionChoice?.none), ("SSE-KMS", .kms(keyId: nil, dataCipher: nil))] {
            var options = PutOptions()
            options.encryption = choice
            let put = try median {
                let writer = try store.beginPut(bucket: "bench", key: name, attributes: ObjectAttributes(), options: options)
                var offset = 0
                while offset < content.count {
                    try content[offset..<offset + (1 << 20)].withUnsafeBytes { try writer.append($0) }
                    offset += 1 << 20
                }
                _ = try writer.finish(expectedMD5: nil)
            }
            guard let object = try store.object(bucket: "bench", key: name) else { throw BenchError("the object is gone") }
            var times: [Double] = []
            for _ in 0..<Self.rounds {
                let start = ContinuousClock.now
                var count = 0
                try await store.read(object, range: 0..<object.size) { count += $0.count }
                guard count == content.count else { throw BenchError("read \(count) bytes") }
                times.append(start.duration(to: .now).inSeconds)
            }
            let got = times.sorted()[times.count / 2]
            print(
                String(
                    format: "objects     64 MiB %@: put %.0f MiB/s, %.2f times the time of a plain copy with sync (%.0f MiB/s); "
                        + "get %.0f MiB/s, %.2f times a plain read (%.0f MiB/s)",
                    name, 64 / put, put / copied, 64 / copied, 64 / got, got / read, 64 / read))
        }
        store.close()
    }

    private func copy(_ source: String, _ target: String, _ disk: LocalDisk) throws {
        let input = try disk.openForReading(source)
        let output = try disk.create(target)
        defer { output.close() }
        var offset: UInt64 = 0
        while offset < UInt64(Self.objectSize) {
            try output.append(try input.read(count: 1 << 20, at: offset))
            offset += 1 << 20
        }
        try output.sync()
        try disk.remove(target)
    }

    private func readThrough(_ source: String, _ disk: LocalDisk) throws {
        let input = try disk.openForReading(source)
        var offset: UInt64 = 0
        while offset < UInt64(Self.objectSize) { offset += UInt64(try input.read(count: 1 << 20, at: offset).count) }
    }

    // MARK: Measuring

    private func median(_ body: () throws -> Void) rethrows -> Double {
        let times = try (0..<Self.rounds).map { _ in
            let start = ContinuousClock.now
            try body()
            return start.duration(to: .now).inSeconds
        }
        return times.sorted()[times.count / 2]
    }

    /// - Parameter body: does some work and gives its amount.
    private func perSecond(_ body: () throws -> Int) rethrows -> Int {
        let start = ContinuousClock.now
        var count = 0
        while start.duration(to: .now).inSeconds < 1 { count += try body() }
        return Int(Double(count) / start.duration(to: .now).inSeconds)
    }
}

extension Duration {
    fileprivate var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
