// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import ArgumentParser
import Foundation
import ObjectStorage

struct Bucket: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Buckets of the embedded object storage.",
        subcommands: [Create.self, List.self, Download.self, ACL.self, Policy.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Create a bucket.")
        @OptionGroup var options: BucketOptions
        @Argument var bucket: String

        func run() async throws {
            _ = try await options.client().send("PUT", bucket: bucket)
            print("bucket \(bucket) created")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the objects of a bucket.")
        @OptionGroup var options: BucketOptions
        @Argument var bucket: String
        @Option(help: "Only keys that begin with this.") var prefix = ""

        func run() async throws {
            for (key, size) in try await options.client().keys(bucket: bucket, prefix: prefix) {
                print("\(String(size).padding(toLength: 10, withPad: " ", startingAt: 0)) \(key)")
            }
        }
    }

    struct Download: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Download a bucket's objects into a folder.")
        @OptionGroup var options: BucketOptions
        @Argument var bucket: String
        @Option(help: "Only keys that begin with this.") var prefix = ""
        @Option(help: "Folder to write to.") var to: String

        func run() async throws {
            let client = try options.client()
            let keys = try await client.keys(bucket: bucket, prefix: prefix)
            for (index, (key, _)) in keys.enumerated() {
                guard !key.split(separator: "/").contains("..") else { throw Failure.no("the key `\(key)` leaves the folder") }
                let path = URL(fileURLWithPath: to + "/" + key)
                try FileManager.default.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(try await client.send("GET", bucket: bucket, key: key)).write(to: path)
                Terminal.progress("\(index + 1) of \(keys.count) objects")
            }
            Terminal.endProgress()
            print("\(keys.count) objects in \(to)")
        }
    }

    struct ACL: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "acl", abstract: "Show or set who reaches a bucket at all.")
        @OptionGroup var options: BucketOptions
        @Argument var bucket: String
        @Argument(help: "private, public-read or public-read-write; shown if absent.") var acl: String?

        func run() async throws {
            let client = try options.client()
            if let acl {
                _ = try await client.send(
                    "PUT", bucket: bucket, query: [("acl", "")], headers: [WireHeader("x-oss-acl", acl)])
            }
            let answer = String(decoding: try await client.send("GET", bucket: bucket, query: [("acl", "")]), as: UTF8.self)
            print("bucket \(bucket) is \(XMLScan.first("Grant", in: answer) ?? "?")")
        }
    }

    struct Policy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show, set or remove the policy of a bucket.")
        @OptionGroup var options: BucketOptions
        @Argument var bucket: String
        @Option(help: "File with the policy to set, JSON.") var set: String?
        @Flag(help: "Remove the policy.") var delete = false

        func validate() throws {
            if set != nil && delete { throw ValidationError("--set and --delete do not go together") }
        }

        func run() async throws {
            let client = try options.client()
            if let set {
                guard let data = FileManager.default.contents(atPath: set) else { throw Failure.usage("`\(set)` cannot be read") }
                _ = try await client.send(
                    "PUT", bucket: bucket, query: [("policy", "")], body: String(decoding: data, as: UTF8.self))
                print("policy of the bucket \(bucket) set")
            } else if delete {
                _ = try await client.send("DELETE", bucket: bucket, query: [("policy", "")])
                print("policy of the bucket \(bucket) removed")
            } else {
                print(String(decoding: try await client.send("GET", bucket: bucket, query: [("policy", "")]), as: UTF8.self))
            }
        }
    }
}
