// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CairnServer
import Foundation

/// A secret that a script gives in the environment, or a person on a terminal.
struct SecretInput {
    /// For the prompt: `passphrase`, `new PIN`.
    var name: String
    /// Variable that holds it; the one with `_FILE` at its end names a file that does.
    var variable: String
    /// Whether a person types it twice.
    var isNew: Bool

    /// - Throws: ``Failure`` of usage if it is given nowhere and there is no terminal to ask on.
    func read() throws -> String {
        do throws(EnvironmentSecret.Unreadable) {
            if let text = try EnvironmentSecret.read(variable, in: ProcessInfo.processInfo.environment) { return text }
        } catch { throw Failure.usage("\(error)") }
        guard isatty(STDIN_FILENO) == 1, Terminal.isInteractive else {
            throw Failure.usage("the \(name) is not given: set \(variable) or \(variable)_FILE, or run on a terminal")
        }
        let text = try ask(name)
        if isNew {
            let again = try ask("\(name) again")
            guard text == again else { throw Failure.usage("the two are not the same") }
        }
        return text
    }

    /// A line from the terminal, which does not show it.
    private func ask(_ question: String) throws -> String {
        var shown = termios()
        guard tcgetattr(STDIN_FILENO, &shown) == 0 else { throw Failure.usage("the terminal cannot be asked") }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        // Hidden before the question: an answer that comes at once is neither shown nor dropped.
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        FileHandle.standardError.write(Data("\(question): ".utf8))
        defer {
            tcsetattr(STDIN_FILENO, TCSADRAIN, &shown)
            FileHandle.standardError.write(Data("\n".utf8))
        }
        guard let line = readLine(), !line.isEmpty else { throw Failure.usage("no \(name) given") }
        return line
    }
}
