// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// Which requests share a commit: small ones go before large ones, for they would wait the longest for their size.
package enum CommitShare {
    /// The most rows of a request: two of them make a commit at most.
    package static let requestRows = LogEngine.commitRowLimit / 2
    /// Rows of a commit beyond which no large request joins it: what comes meanwhile has no longer to wait than for these.
    package static let usualRows = 2048

    /// Takes the next commit's requests out of those that wait; the others stay in their order.
    package static func take<Request>(
        from waiting: inout [Request], rows: (Request) -> Int, isSmall: (Request) -> Bool
    ) -> [Request] {
        var taken: [Request] = []
        var rowCount = 0
        /// Those of one kind, up to the first that does not fit.
        func takeAll(_ isOfKind: (Request) -> Bool, while fits: (Request) -> Bool) {
            var left: [Request] = []
            var isOpen = true
            for request in waiting {
                let isOfKind = isOfKind(request)
                isOpen = isOpen && (!isOfKind || fits(request))
                if isOfKind && isOpen {
                    rowCount += rows(request)
                    taken.append(request)
                } else {
                    left.append(request)
                }
            }
            waiting = left
        }
        takeAll(isSmall) { rowCount + rows($0) <= requestRows }
        let smallCount = taken.count
        // The first one always, or small ones could keep it waiting for ever.
        takeAll {
            !isSmall($0)
        } while: {
            taken.count == smallCount || rowCount + rows($0) <= usualRows
        }
        return taken
    }
}
