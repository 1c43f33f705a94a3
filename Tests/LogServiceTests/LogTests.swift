// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Testing

@Suite struct LogTests {
    @Test func standardDelimitersAreTwentyTwo() {
        #expect(IndexConfiguration.Text.standard.count == 22)
    }
}
