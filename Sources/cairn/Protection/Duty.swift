// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// The three duties that no one may hold two of; source: compliance.md section 2.
enum Duty: CaseIterable {
    case system, audit, security

    var title: String {
        switch self {
        case .system: "System administrator"
        case .audit: "Audit administrator"
        case .security: "Security administrator"
        }
    }

    /// The policy that goes with it.
    var preset: PolicyPreset {
        switch self {
        case .system: SeparationOfDuties.systemAdministrator
        case .audit: SeparationOfDuties.auditAdministrator
        case .security: SeparationOfDuties.securityAdministrator
        }
    }
}
