// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation

/// A call on one of our ports, as an event will tell it.
struct CallRecord: Sendable {
    let eventId: String
    /// As the answer tells it; another form than the event's id on the oss port.
    var requestId: String
    var serviceName: String
    var eventName: String
    var apiVersion: String?
    var isWrite: Bool
    var host: String
    var sourceAddress: String
    var userAgent: String?
    var isTLS: Bool
    /// Nobody called: the service tells of itself.
    var isOwn = false
    /// Set by ``CallRecorder/begin(_:)``: a note of the change stands until its record does.
    var isNoted = false
    var caller: Caller?
    /// The key an unauthenticated caller claimed to hold.
    var claimedAccessKeyId: String?
    var parameters: [WireParameters.Parameter] = []
    var resources: [(type: String, name: String)] = []
    var errorCode: String?
    var errorMessage: String?
    /// How the change weakens a trail, such as `stops the trail audit`; nil for everything else.
    var weakening: String?

    init(_ request: WireRequest, requestId: String, serviceName: String) {
        eventId = UUID(uuidString: requestId) == nil ? UUID().uuidString : requestId
        self.requestId = requestId
        self.serviceName = serviceName
        eventName = request.method
        isWrite = !["GET", "HEAD"].contains(request.method)
        host = request.header("host") ?? ""
        sourceAddress = request.peerAddress
        userAgent = request.header("user-agent")
        isTLS = request.isTLS
    }

    init(ownEvent name: String, service: String, weakening: String?) {
        eventId = UUID().uuidString
        requestId = eventId
        serviceName = service
        eventName = name
        isWrite = true
        host = ""
        sourceAddress = ""
        isTLS = false
        isOwn = true
        self.weakening = weakening
    }
}
