// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0
