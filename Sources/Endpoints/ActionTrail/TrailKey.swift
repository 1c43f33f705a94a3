// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import KeyManagement
import LogService
import ObjectStorage
import Trails

/// The customer's keys that trails hang on.
enum TrailKey {
    /// Names of the trails whose objects or logs hang on a key: those of its account with a bucket or a logstore that is, or was,
    /// encrypted under it.
    static func trails(hangingOn key: KeyRecord, in services: EndpointServices) throws -> [String] {
        let logstores = try services.logs.registry.allLogstores()
        return try services.trails.trails(account: key.account).filter { trail in
            // Also of a logstore whose encryption was switched off: its older files stay under the key.
            let logstore = logstores.first { $0.trail == trail.arn && $0.project == trail.logProject?.name }
            let names = [try services.objects.bucket(trail.ossBucketName)?.encryption?.keyId, logstore?.encryption?.keyId]
            return names.contains { name in
                guard let name else { return false }
                return (try? services.keys.find(name, account: key.account, region: services.region).id) == key.id
            }
        }.map(\.name)
    }
}
