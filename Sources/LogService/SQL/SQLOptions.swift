// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a query means beyond its text.
package struct SQLOptions: Sendable {
    /// May stand after FROM, like `log`.
    package var logstore: String?
    package var timeZone = SQLTimeZone.standard
    /// Milliseconds since 1970, UTC.
    package var now: Int64

    package init(logstore: String? = nil, timeZone: SQLTimeZone = .standard, now: Int64) {
        self.logstore = logstore
        self.timeZone = timeZone
        self.now = now
    }
}

/// What a query may cost before it is ended with an error; source for time and rows: sls.md section 11.
package struct SQLLimits: Sendable {
    package var duration: Duration = .seconds(55)
    /// Of keys, sorted rows, joined tables and whatever else a query keeps; rough.
    package var memoryBytes = 512 << 20
    package var resultRows = 1_000_000
    package var resultBytes = 256 << 20

    package init() {}
}

package struct SQLResult: Sendable, Equatable {
    package var columns: [String] = []
    /// `varchar`, `bigint`, `array(varchar)` …
    package var types: [String] = []
    package var rows: [[String]] = []
    /// Rows that the source gave, each as often as it occurs.
    package var scannedRows: Int64 = 0
}
