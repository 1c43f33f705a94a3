// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Whether what cannot be undone may be done.
struct Consent {
    /// Given beforehand, by whoever wrote the script.
    var isGiven: Bool

    static var canAsk: Bool { isatty(STDIN_FILENO) == 1 && Terminal.isInteractive }

    /// Asks on a terminal; only the name itself, typed out, is a yes.
    func ask(_ consequence: String, name: String) -> Bool {
        if isGiven { return true }
        guard Self.canAsk else { return false }
        Terminal.endProgress()
        FileHandle.standardError.write(
            Data("\n\(consequence)\nType the name of the bucket to agree; anything else leaves it as it is: ".utf8))
        return readLine()?.trimmingCharacters(in: .whitespaces) == name
    }
}
