// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import DurableFiles
import Endpoints
import EventHistory
import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import KeyManagement
import LogEngine
import LogService
import Logging
import Metadata
import Metrics
import NIOCore
import NIOSSL
import ObjectStorage
import ServiceLifecycle
import Synchronization
import Trails

/// Which question does this room answer? *What runs, in which order, with which settings?*
///
/// Opens the data folder from the bottom up (lock, metadata, keys, history, objects), then serves; stops in reverse:
/// ports first, then delivery, then the history, so that whatever was answered is on disk.
public struct CairnService {
    private let settings: Settings
    private let logger: Logger
    private let metrics: PrometheusMetrics
    /// What the clock of retention is fed from. No setting changes it: that would be the attack.
    package var retentionTime = TimeSources.system
    /// When events are recorded, and what their retention counts by: milliseconds since 1970. No setting changes it either.
    package var historyTime: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }
    /// See ``EventHistory/Settings``; for tests only.
    package var tailRows: Int?

    public init(settings: Settings, logger: Logger, metrics: PrometheusMetrics) {
        self.settings = settings
        self.logger = logger
        self.metrics = metrics
    }

    /// Serves until SIGTERM or SIGINT.
    ///
    /// - Parameter ready: given the ready line once every port is open.
    public func run(environment: [String: String], ready: @escaping @Sendable (String) -> Void) async throws {
        LocalDisk.allowManyOpenFiles()
        // Keys are in this process's memory in the clear; nobody shall find them in a core file.
        if !forbidCoreDumps() { logger.warning("core dumps could not be forbidden") }
        let disk = LocalDisk()
        let folder = settings.dataFolder
        let lock = try Self.hold(folder, disk)
        let now: @Sendable () -> Date = { Date() }
        let metadata = try Metadata(path: folder + "/metadata.sqlite")
        let keys = try KeyService(
            metadata: metadata, root: try RootOfTrust.fromEnvironment(environment, dataFolder: folder), disk: disk, now: now)
        let identities = try IdentityStore(metadata: metadata, keys: keys, now: now)
        try RootCredentials.prepare(
            folder: folder, accountId: settings.accountId, identities: identities, environment: environment, disk: disk)

        let logger = self.logger
        let damages = Counter(label: "cairn_damage_total")
        var historySettings = EventHistory.Settings(dataFolder: folder)
        historySettings.retentionDays = settings.retentionDays
        historySettings.cacheBytes = settings.cacheMebibytes << 20
        if let tailRows { historySettings.tailRows = tailRows }
        let report: @Sendable (LogEngine.Report) -> Void = { report in
            switch report {
            case .damage(let damage):
                damages.increment()
                logger.error("stored data is damaged; the rest stays readable", metadata: ["damage": "\(damage)"])
            case .tornTail(let path, let bytes):
                logger.warning(
                    "a write that was cut off by a crash was dropped; it was never acknowledged",
                    metadata: ["file": "\(path)", "bytes": "\(bytes)"])
            case .backgroundFailure(let what, let error):
                logger.error(
                    "background work failed, will be tried again", metadata: ["what": "\(what)", "error": "\(error)"])
            }
        }
        let history = try EventHistory(
            settings: historySettings, disk: disk, keys: keys, metadata: metadata, now: historyTime, report: report)
        defer { history.close() }
        let region = settings.region
        let (reports, tellReport) = AsyncStream.makeStream(of: StoreReport.self, bufferingPolicy: .bufferingNewest(10_000))
        let objects = try EmbeddedObjectStore(
            folder: folder + "/objects", region: region, disk: disk, keys: keys, metadata: metadata, now: now,
            time: retentionTime,
            customerKey: { name, account in
                let record =
                    try name.map { try keys.find($0, account: account, region: region) }
                    ?? keys.defaultKey(of: "oss", account: account, region: region).record
                return CustomerObjectKey(
                    id: record.id, wrapper: try keys.customerKey(record.id, account: account, region: region))
            }, report: { tellReport.yield($0) })
        defer { objects.close() }
        var logSettings = LogService.Settings(dataFolder: folder, region: region)
        logSettings.tailRows = tailRows
        let logs = try LogService(
            settings: logSettings, disk: disk, keys: keys, metadata: metadata, now: now, report: report)
        defer { logs.close() }
        let trails = TrailRegistry(metadata: metadata, now: now)
        let authorizer = Authorizer(policies: identities)
        let permission = DeliveryPermission(authorizer: authorizer, now: now)
        let targets = DeliveryTargets(remote: try remoteTargets(environment), owner: settings.accountId) { bucket, account in
            EmbeddedTarget(
                store: objects, bucket: bucket, mayPut: { try permission.check($0, key: $1, account: account) }, now: now)
        }
        let logTargets = LogDeliveryTargets(
            remote: try remoteLogTargets(environment, now: now), account: settings.accountId
        ) { owner in EmbeddedLogTarget(service: logs, owner: owner, mayPost: permission.check, now: now) }
        let delivery = DeliveryService(
            registry: trails, history: history, targets: targets, logTargets: logTargets, interval: settings.deliveryInterval,
            logger: logger, now: now)
        let recorder = CallRecorder(
            history: history, metadata: metadata, accountId: settings.accountId, region: settings.region, logger: logger, now: now
        )
        let services = EndpointServices(
            history: history, quarantine: try Quarantine(folder: folder + "/quarantine", disk: disk, keys: keys),
            trails: trails, objects: objects, targets: targets, logs: logs, logTargets: logTargets,
            authenticator: Authenticator(keys: identities, tokens: identities, nonces: NonceStore()),
            authorizer: authorizer, keys: keys, identities: identities, metadata: metadata,
            recorder: recorder, budget: ByteBudget(bytes: 512 << 20),
            logger: logger, region: settings.region, accountId: settings.accountId,
            retentionDays: settings.retentionDays, ossAddressing: OSSAddressing(baseDomains: settings.ossDomains), now: now)

        try await recorder.recordForgotten()
        try await tellShorterRetention(metadata, recorder)
        let announcement = Announcement(settings: settings, ready: ready)
        let tls = try tlsConfiguration()
        let metrics = self.metrics
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(
                    service: Housekeeping(
                        history: history, recorder: recorder, objects: objects, logs: logs, keys: keys, identities: identities,
                        logger: logger)),
                .init(service: StoreReports(reports: reports, recorder: recorder, damages: damages, logger: logger)),
                .init(service: delivery),
                .init(service: application(Ports.sls(services, isTLS: tls != nil), .sls, settings.sls, tls, announcement)),
                .init(service: application(Ports.oss(services, isTLS: tls != nil), .oss, settings.oss, tls, announcement)),
                .init(
                    service: application(
                        Ports.api(services, isTLS: tls != nil, metrics: { metrics.text }), .api, settings.api, tls,
                        announcement)),
            ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        // What is in flight gets this long; a client that stalls in the middle of a request does not hold the stop up.
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        let group = ServiceGroup(configuration: configuration)
        logger.info(
            "starting",
            metadata: ["data": "\(folder)", "events": "\(history.statistics.records)", "log": "\(history.signedLog.origin)"])
        do { try await group.run() } catch is CancellationError {} catch {
            await recorder.drain()
            if (error as? IOError)?.errnoCode == EADDRINUSE {
                throw StartError.portInUse([settings.api, settings.oss, settings.sls])
            }
            throw error
        }
        await recorder.drain()
        withExtendedLifetime(lock) {}
        logger.info("stopped")
    }

    private func remoteTargets(_ environment: [String: String]) throws -> [String: any DeliveryTarget] {
        do {
            return try RemoteTargets.make(settings.remoteBuckets, environment: environment, logger: logger)
        } catch { throw StartError.badCredentials("\(error)") }
    }

    private func remoteLogTargets(
        _ environment: [String: String], now: @escaping @Sendable () -> Date
    ) throws -> [String: @Sendable (LogDeliveryTargets.Owner) -> any LogDeliveryTarget] {
        var targets: [String: @Sendable (LogDeliveryTargets.Owner) -> any LogDeliveryTarget] = [:]
        do {
            for project in settings.remoteLogProjects {
                let service = try RemoteLogService(project, environment: environment, logger: logger)
                targets[project.name] = { RemoteLogTarget(service: service, logstore: $0.logstore, now: now) }
            }
        } catch { throw StartError.badCredentials("\(error)") }
        return targets
    }

    /// Retention is a setting, so its change is no call: it is seen here, at the first start with it.
    private func tellShorterRetention(_ metadata: Metadata, _ recorder: CallRecorder) async throws {
        let path = "settings/retention-days"
        let before = try metadata.value(Int.self, at: path)
        if let before, settings.retentionDays < before {
            await recorder.recordOwn(
                "UpdateRetention", service: "Actiontrail",
                parameters: [("RetentionDays", String(settings.retentionDays)), ("RetentionDaysBefore", String(before))],
                weakening: "the event history is kept for \(settings.retentionDays) days instead of \(before)")
        }
        if before != settings.retentionDays { try metadata.transact { try $0.put(settings.retentionDays, at: path) } }
    }

    private static func hold(_ folder: String, _ disk: some Disk) throws -> FolderLock {
        do {
            try disk.createDirectory(folder)
            return try FolderLock(folder: folder)
        } catch {
            if error.code == .locked { throw StartError.alreadyRunning(folder: folder) }
            throw StartError.cannotUse(folder: folder, reason: "\(error)")
        }
    }

    private func tlsConfiguration() throws -> TLSConfiguration? {
        guard let certificate = settings.tlsCertificate, let key = settings.tlsKey else { return nil }
        do {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            return configuration
        } catch { throw StartError.badTLS(reason: "\(error) (`\(certificate)`, `\(key)`)") }
    }

    private func application(
        _ responder: PortResponder, _ port: Announcement.Port, _ address: Settings.Address, _ tls: TLSConfiguration?,
        _ announcement: Announcement
    ) -> some ApplicationProtocol {
        let http = HTTP1Channel.Configuration(
            additionalChannelHandlers: [DepartureHandler()], idleTimeout: .seconds(120))
        let server: HTTPServerBuilder
        do {
            server = try tls.map { try .tls(.http1(configuration: http), tlsConfiguration: $0) } ?? .http1(configuration: http)
        } catch {
            // The configuration was read before: only a certificate that does not fit its key comes this far.
            preconditionFailure("TLS: \(error)")
        }
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return Application(
            responder: responder, server: server,
            configuration: .init(address: .hostname(address.host, port: address.port), serverName: nil),
            onServerRunning: { channel in
                await announcement.opened(port, at: channel.localAddress?.port ?? address.port)
            }, logger: quiet)
    }
}

public enum StartError: Error, CustomStringConvertible {
    case alreadyRunning(folder: String)
    case cannotUse(folder: String, reason: String)
    case badTLS(reason: String)
    case portInUse([Settings.Address])
    case badCredentials(String)

    public var description: String {
        switch self {
        case .alreadyRunning(let folder):
            "the data folder `\(folder)` is in use by another cairn: stop that one first, or give another --data"
        case .cannotUse(let folder, let reason): "the data folder `\(folder)` cannot be used: \(reason)"
        case .badTLS(let reason): "the TLS certificate or key cannot be used: \(reason)"
        case .portInUse(let addresses):
            "one of the addresses \(addresses.map { "\($0)" }.joined(separator: ", ")) is in use by another program: "
                + "stop that one, or give other --api, --oss and --sls"
        case .badCredentials(let reason): reason
        }
    }
}

/// Prints the ready line when the last port is open.
private final class Announcement: Sendable {
    enum Port: Hashable { case api, oss, sls }

    private let settings: Settings
    private let ready: @Sendable (String) -> Void
    private let ports = Mutex<[Port: Int]>([:])

    init(settings: Settings, ready: @escaping @Sendable (String) -> Void) {
        self.settings = settings
        self.ready = ready
    }

    func opened(_ port: Port, at number: Int) async {
        let all = ports.withLock { ports in
            ports[port] = number
            return ports.count == 3 ? ports : nil
        }
        guard let all else { return }
        let scheme = settings.tlsKey == nil ? "http" : "https"
        func url(_ port: Port, _ address: Settings.Address) -> String {
            var address = address
            address.port = all[port] ?? address.port
            return "\(scheme)://\(address)"
        }
        let api = url(.api, settings.api)
        ready("cairn ready api=\(api) oss=\(url(.oss, settings.oss)) sls=\(url(.sls, settings.sls)) console=\(api)/console")
    }
}

/// What the object store finds: jumps of the clock become events, damage is counted and logged.
private struct StoreReports: Service {
    let reports: AsyncStream<StoreReport>
    let recorder: CallRecorder
    let damages: Counter
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await report in self.reports {
                switch report {
                case .clockJump(let jump):
                    self.logger.warning("\(jump)")
                    await self.recorder.recordOwn(
                        "ComplianceClockJump", service: "Oss",
                        parameters: [
                            ("Occasion", jump.occasion.rawValue), ("ClaimedSeconds", String(jump.claimed / 1000)),
                            ("BelievedSeconds", String(jump.believed / 1000)),
                        ])
                case .damage(let bucket, let key, let what):
                    self.damages.increment()
                    self.logger.error(
                        "a stored object or its row is damaged",
                        metadata: ["bucket": "\(bucket)", "key": "\(key)", "what": "\(what)"])
                case .backgroundFailure(let what, let error):
                    self.logger.error(
                        "background work failed, will be tried again", metadata: ["what": "\(what)", "error": "\(error)"])
                }
            }
        }
    }
}

/// What has to be done from time to time: retention, files that a crash left, calls that could not be recorded.
private struct Housekeeping: Service {
    let history: EventHistory
    let recorder: CallRecorder
    let objects: EmbeddedObjectStore
    let logs: LogService
    let keys: KeyService
    let identities: IdentityStore
    let logger: Logger

    func run() async throws {
        // What was noted last is not lost with a clean stop.
        defer { saveKeyUses() }
        await cancelWhenGracefulShutdown {
            do { try objects.sweep() } catch {
                logger.warning("files that a crash left cannot be removed now", metadata: ["error": "\(error)"])
            }
            var ticks = 0
            while !Task.isCancelled {
                await recorder.retry()
                if ticks % 60 == 0 {
                    objects.tick()
                    await maintainKeys()
                    saveKeyUses()
                }
                if ticks % 600 == 0 {
                    history.dropExpired()
                    await logs.dropExpired()
                    await logs.closeIdle()
                }
                if ticks % 3600 == 0 { maintainObjects() }
                ticks += 1
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func saveKeyUses() {
        do { try identities.saveKeyUses() } catch {
            logger.warning("when access keys were last used cannot be written now", metadata: ["error": "\(error)"])
        }
    }

    /// What time does to keys is told like what people do.
    private func maintainKeys() async {
        let done = keys.maintain()
        for (key, error) in done.failures {
            logger.error("a key's maintenance failed", metadata: ["key": "\(key.id)", "error": "\(error)"])
        }
        for (name, keys) in [("DeleteKey", done.deleted), ("DeleteKeyMaterial", done.expired), ("RotateKey", done.rotated)] {
            for key in keys {
                logger.notice("a key's time had come", metadata: ["key": "\(key.id)", "what": "\(name)"])
                await recorder.recordOwn(
                    name, service: "Kms", parameters: [("KeyId", key.id), ("Purpose", key.purpose ?? "customer")])
            }
        }
    }

    private func maintainObjects() {
        do { _ = try objects.maintain() } catch {
            logger.error("the upkeep of objects failed, will be tried again", metadata: ["error": "\(error)"])
        }
    }
}
