// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A secret that a person or a script gives: never in a flag, where every process of the machine could read it.
struct SecretInput {
    /// For the prompt: `passphrase`, `new PIN`.
    var name: String
    /// Variable that holds it; the one with `_FILE` at its end names a file that does.
    var variable: String
    /// Whether a person types it twice.
    var isNew: Bool

    /// - Throws: ``Failure`` of usage if it is given nowhere and there is no terminal to ask on.
    func read() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        if let text = environment[variable], !text.isEmpty { return text }
        if let path = environment[variable + "_FILE"], !path.isEmpty {
            guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8) else {
                throw Failure.usage("the file of \(variable)_FILE, `\(path)`, cannot be read")
            }
            let line = text.hasSuffix("\n") ? String(text.dropLast()) : text
            guard !line.isEmpty else { throw Failure.usage("the file of \(variable)_FILE, `\(path)`, is empty") }
            return line
        }
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
