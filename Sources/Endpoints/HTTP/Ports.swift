// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import AuditEvent
import Foundation
import Hummingbird

/// The api port: RPC at `/`, ingest, the log, health and metrics.
struct ApiPort: WireService {
    let services: EndpointServices
    let metrics: @Sendable () -> String
    private let gateway: RPCGateway
    private let ingest: IngestEndpoint
    private let log: LogEndpoint

    init(services: EndpointServices, metrics: @escaping @Sendable () -> String) {
        self.services = services
        self.metrics = metrics
        gateway = RPCGateway(services: services)
        ingest = IngestEndpoint(services: services)
        log = LogEndpoint(services: services)
    }

    func answer(_ request: WireRequest, body: RequestBody, from client: ClientConnection) async -> WireAnswer {
        switch request.rawPath {
        case "/v1/events": return await ingest.answer(request, body: body, forced: nil)
        case "/v1/sources/kubernetes": return await ingest.answer(request, body: body, forced: .kubernetes)
        // Not calls on the audit trail but on its public face and its health: not recorded, or polling would fill it.
        case "/healthz": return health()
        case "/metrics": return metricsAnswer(request)
        case let path where path.hasPrefix("/log/"): return log.answer(request)
        case "/console", "/console/": return .text("The web console is not built yet.\n", status: 501)
        default: return await gateway.answer(request, body: body)
        }
    }

    private func health() -> WireAnswer {
        services.history.canRecord
            ? .text("ok\n") : .text("events cannot be recorded at present; reading goes on\n", status: 503)
    }

    /// Loopback only: figures tell about accounts.
    private func metricsAnswer(_ request: WireRequest) -> WireAnswer {
        let peer = request.peerAddress
        guard peer.hasPrefix("127.") || peer == "::1" || peer.hasPrefix("::ffff:127.") else {
            return .text("metrics are served to this machine only\n", status: 403)
        }
        let statistics = services.history.statistics
        let text =
            metrics()
                + """
                # TYPE cairn_history_events gauge
                cairn_history_events \(statistics.records)
                # TYPE cairn_history_segments gauge
                cairn_history_segments \(statistics.segments)
                # TYPE cairn_history_journal_files gauge
                cairn_history_journal_files \(statistics.journals)
                # TYPE cairn_history_tail_events gauge
                cairn_history_tail_events \(statistics.tailRows)
                # TYPE cairn_history_waiting_tails gauge
                cairn_history_waiting_tails \(statistics.waitingTails)
                # TYPE cairn_log_size gauge
                cairn_log_size \(services.history.treeSize)
                # TYPE cairn_can_record gauge
                cairn_can_record \(services.history.canRecord ? 1 : 0)

                """
        return WireAnswer(
            status: 200, headers: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")], body: Array(text.utf8))
    }
}

/// The three ports' responders, for the composition root.
public enum Ports {
    public static func api(_ services: EndpointServices, isTLS: Bool, metrics: @escaping @Sendable () -> String) -> PortResponder
    {
        PortResponder(ApiPort(services: services, metrics: metrics), isTLS: isTLS)
    }

    public static func oss(_ services: EndpointServices, isTLS: Bool) -> PortResponder {
        PortResponder(OSSPort(services: services), isTLS: isTLS)
    }

    public static func sls(_ services: EndpointServices, isTLS: Bool) -> PortResponder {
        PortResponder(SLSPort(services: services), isTLS: isTLS)
    }
}
