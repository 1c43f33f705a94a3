// swift-tools-version: 6.2
import PackageDescription

/// The rooms of Cairn, lowest first. A room imports only rooms above it in this file;
/// `swift build --explicit-target-dependency-import-check error` (in `make check`) holds it to that.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.target(name: name), "TestSupport"] + dependencies, swiftSettings: settings)
}

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
    name: "cairn",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CDeflate", providers: [.apt(["libdeflate-dev"])]),
        .systemLibrary(name: "CLZ4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CPCRE2", providers: [.apt(["libpcre2-dev"])]),
        .systemLibrary(name: "CMemory"),
        .systemLibrary(name: "CPKCS11", pkgConfig: "p11-kit-1", providers: [.apt(["libp11-kit-dev"])]),
        .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        room("DurableFiles", []),
        room("Metadata", [.product(name: "GRDB", package: "GRDB.swift")]),
        room("KeyManagement", ["Metadata", "DurableFiles", "CPKCS11", crypto, cryptoExtras]),
        room("AccessControl", ["KeyManagement", "Metadata", "DurableFiles", crypto, cryptoExtras]),
        room("AuditEvent", [crypto]),
        room("MerkleLog", [crypto]),
        room("LogEngine", ["KeyManagement", "DurableFiles", "CMemory", "CZstd", "CZlib", crypto]),
        room(
            "EventHistory",
            ["LogEngine", "MerkleLog", "AuditEvent", "KeyManagement", "Metadata", "DurableFiles", crypto, metrics]),
        room(
            "ObjectStorage",
            ["LogEngine", "AccessControl", "KeyManagement", "Metadata", "DurableFiles", crypto, logging, httpClient]),
        room(
            "LogService",
            [
                "LogEngine", "AuditEvent", "AccessControl", "KeyManagement", "Metadata", "DurableFiles", "CLZ4", "CPCRE2",
                "CZstd", "CZlib", crypto, httpClient,
            ]),
        room(
            "Trails",
            [
                "EventHistory", "LogService", "ObjectStorage", "LogEngine", "AuditEvent", "MerkleLog", "AccessControl",
                "Metadata",
                "CDeflate", crypto, logging, metrics, lifecycle, httpClient,
            ]),
        room(
            "Endpoints",
            [
                "Trails", "LogService", "ObjectStorage", "EventHistory", "LogEngine", "MerkleLog", "AuditEvent", "AccessControl",
                "KeyManagement", "Metadata", "DurableFiles", "CQREncode", "CZlib", crypto, logging, metrics, hummingbird,
            ]),
        room(
            "CairnServer",
            [
                "Endpoints", "Trails", "LogService", "ObjectStorage", "EventHistory", "LogEngine", "AccessControl",
                "KeyManagement",
                "Metadata", "DurableFiles", crypto, logging, metrics, lifecycle, hummingbird,
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Yams", package: "Yams"),
            ]),
        room("SampleStory", []),
        .executableTarget(
            name: "cairn",
            dependencies: [
                "CairnServer", "Trails", "LogService", "SampleStory", "AuditEvent", "EventHistory", "LogEngine", "MerkleLog",
                "AccessControl", "ObjectStorage", "KeyManagement", "Metadata", "DurableFiles",
                logging,
                metrics,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                httpClient,
            ], swiftSettings: settings),
        .executableTarget(
            name: "cairn-bench",
            dependencies: [
                "AccessControl", "LogService", "SampleStory", "ObjectStorage", "KeyManagement", "Metadata", "DurableFiles",
            ],
            path: "Benchmarks/cairn-bench",
            swiftSettings: settings),
        .executableTarget(
            name: "cairn-movable-clock", dependencies: ["CairnServer", "ObjectStorage", logging], path: "Tests/MovableClock",
            swiftSettings: settings),
        .target(name: "TestSupport", dependencies: ["DurableFiles"], path: "Tests/TestSupport", swiftSettings: settings),
        tests(of: "AccessControl", ["KeyManagement", "Metadata", "DurableFiles", crypto]),
        tests(of: "AuditEvent", [crypto]),
        tests(of: "DurableFiles"),
        tests(of: "Metadata"),
        tests(of: "KeyManagement", ["Metadata", "DurableFiles", crypto, cryptoExtras]),
        tests(of: "LogEngine", ["KeyManagement", "Metadata", "DurableFiles", crypto]),
        tests(
            of: "EventHistory",
            ["LogEngine", "MerkleLog", "AuditEvent", "KeyManagement", "Metadata", "DurableFiles", crypto]),
        tests(of: "ObjectStorage", ["AccessControl", "KeyManagement", "Metadata", "DurableFiles", crypto, logging]),
        tests(
            of: "Trails",
            [
                "EventHistory", "LogService", "ObjectStorage", "LogEngine", "MerkleLog", "AuditEvent", "AccessControl",
                "KeyManagement",
                "Metadata",
                "DurableFiles", crypto, logging,
            ]),
        tests(of: "CairnServer", [metrics]),
        tests(of: "MerkleLog", [crypto]),
        tests(of: "LogService", ["LogEngine", "AuditEvent", "KeyManagement", "Metadata", "DurableFiles", crypto, sqlite]),
        tests(of: "SampleStory"),
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "Trails", "ObjectStorage", "EventHistory", "LogEngine", "MerkleLog", "AuditEvent", "KeyManagement", "Metadata",
                "DurableFiles", "TestSupport", crypto,
            ], exclude: ["Corpus"], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
