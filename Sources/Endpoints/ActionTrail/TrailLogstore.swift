// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Trails

/// The log service project that a trail names: it is there, and the service may write to the trail's logstore in it.
enum TrailLogstore {
    /// - Throws: codes of actiontrail.md section 6.4.
    static func check(_ trail: Trail, in context: RPCContext) throws {
        guard !trail.slsProjectArn.isEmpty else { return }
        let services = context.services
        let owner: LogDeliveryTargets.Owner
        do { owner = try LogDeliveryTargets.Owner(trail) } catch { throw missing("\(error).") }
        let project = owner.project
        guard let last = trail.name.utf8.last, last != UInt8(ascii: "-"), last != UInt8(ascii: "_") else {
            throw RPCError(
                400, "InvalidDeliveryConfigurationException",
                "A trail whose name ends in - or _ cannot deliver to Log Service: no logstore may have such a name.")
        }
        guard project.account == trail.accountId else {
            throw missing("The specified Log Service project \(project.arn) is not of the account \(trail.accountId).")
        }
        // What is at a remote service is found out at delivery, and told by GetTrailStatus.
        guard !services.logTargets.isRemote(project.name, account: trail.accountId) else { return }
        guard try EmbeddedLogTarget.exists(project, in: services.logs.registry) else {
            throw missing("The specified Log Service project \(project.arn) does not exist.")
        }
        do {
            try DeliveryPermission(authorizer: services.authorizer, now: services.now).check(owner)
        } catch let error as DeliveryForbidden {
            throw RPCError(403, "InsufficientSlsPolicyException", "\(error)")
        }
        do { try EmbeddedLogTarget.checkLogstore(of: owner, in: services.logs.registry) } catch let error as LogServiceError {
            throw unfit(trail, error)
        }
    }

    /// Makes the logstore with the trail. One at a remote service is made by the first delivery, which begins at once.
    static func make(for trail: Trail, in services: EndpointServices) async throws {
        guard let project = trail.logProject, !services.logTargets.isRemote(project.name, account: trail.accountId) else {
            return
        }
        do {
            _ = try await services.logTargets.target(of: trail).prepare()
        } catch let error as LogServiceError {
            if error.code == LogServiceError.noProject("").code { throw missing(error.message) }
            throw unfit(trail, error)
        }
    }

    /// Whether the logstore can be seen to be there.
    static func exists(_ trail: Trail, _ state: LogDeliveryState, in services: EndpointServices) -> Bool {
        guard let project = trail.logProject else { return false }
        if services.logTargets.isRemote(project.name, account: trail.accountId) { return state.readiness != nil }
        return (try? services.logs.registry.logstore(trail.logstoreName, project: project.name))?.trail == trail.arn
    }

    private static func unfit(_ trail: Trail, _ error: LogServiceError) -> RPCError {
        RPCError(
            400, "InvalidDeliveryConfigurationException",
            "The trail \(trail.name) cannot have the logstore \(trail.logstoreName): \(error)")
    }

    private static func missing(_ message: String) -> RPCError {
        RPCError(400, "SlsProjectDoesNotExistException", message)
    }
}

extension JSONFields {
    /// Where a trail's events go in a log service, as it was last seen. Cairn's own.
    init(_ readiness: LogTargetReadiness) {
        self.init()
        add(readiness.location, "Location")
        add(texts: readiness.gaps, "Gaps")
        add(wireTime(readiness.checkedAt), "CheckedAt")
    }

    init(_ event: LogDeliveryState.ParkedEvent) {
        self.init()
        add(event.eventId, "EventId")
        add(event.sequence, "Sequence")
        add(event.reason, "Reason")
        add(wireTime(event.parkedAt), "ParkedTime")
    }
}
