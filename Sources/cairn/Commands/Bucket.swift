// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct Bucket: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Buckets of the embedded object storage.", subcommands: [Create.self, List.self, Download.self])

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
}
