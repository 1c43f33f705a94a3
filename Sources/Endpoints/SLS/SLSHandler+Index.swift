// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService

/// The index of a logstore, kept as the client sent it; source: sls.md section 9.
extension SLSHandler {
    func setIndex(of logstore: Logstore, isNew: Bool) throws -> WireAnswer {
        try registry.setIndex(Data(body), logstore: logstore.name, project: logstore.project, isNew: isNew)
        return Self.empty
    }

    func index(of logstore: Logstore) throws -> WireAnswer {
        Self.json([UInt8](try registry.describedIndex(logstore: logstore.name, project: logstore.project)))
    }

    func deleteIndex(of logstore: Logstore) throws -> WireAnswer {
        try registry.deleteIndex(logstore: logstore.name, project: logstore.project)
        return Self.empty
    }
}
