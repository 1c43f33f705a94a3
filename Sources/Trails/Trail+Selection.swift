// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import LogEngine

extension Trail {
    /// Fields and region of a recorded event that is this trail's to deliver; nil of any other.
    func selection(of record: StoredRecord) -> (fields: EventFields, region: String)? {
        guard record.account == accountId else { return nil }
        return record.withBytes { bytes in
            guard let fields = EventFields.extract(bytes) else { return nil }
            let region = fields.withBytes(of: fields.region, in: bytes) { String(decoding: $0, as: UTF8.self) }
            guard selects(isWrite: fields.isWrite, isGlobal: fields.isGlobal, region: region) else { return nil }
            return (fields, region)
        }
    }
}
