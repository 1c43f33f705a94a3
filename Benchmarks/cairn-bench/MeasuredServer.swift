// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A `cairn serve` of our own on free ports, measured from outside through /proc.
final class MeasuredServer {
    let folder: String
    private let process = Process()
    private(set) var apiPort = 0
    private(set) var ossPort = 0
    private(set) var slsPort = 0
    private(set) var startSeconds = 0.0

    static let keyId = "LTAI5tBENCHEXAMPLE"
    static let secret = "bench-secret-not-a-real-one"

    init(binary: String, folder: String) throws {
        self.folder = folder
        process.executableURL = URL(fileURLWithPath: binary)
        process.arguments = [
            "serve", "--data", folder, "--api", "127.0.0.1:0", "--oss", "127.0.0.1:0", "--sls", "127.0.0.1:0", "--log-level",
            "error", "--delivery-interval", "1",
        ]
        var environment = ProcessInfo.processInfo.environment
        environment["CAIRN_ROOT_ACCESS_KEY_ID"] = Self.keyId
        environment["CAIRN_ROOT_ACCESS_KEY_SECRET"] = Self.secret
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        let begin = Date()
        try process.run()
        var line = ""
        while !line.contains("\n") {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw BenchError("the service ended before it was ready") }
            line += String(decoding: data, as: UTF8.self)
        }
        startSeconds = Date().timeIntervalSince(begin)
        func port(_ name: String) -> Int {
            line.split(separator: " ").first { $0.hasPrefix(name + "=") }?.split(separator: ":").last.flatMap { Int($0) } ?? 0
        }
        apiPort = port("api")
        ossPort = port("oss")
        slsPort = port("sls")
    }

    /// Nothing is left running behind a failure.
    deinit { if process.isRunning { process.terminate() } }

    var processorSeconds: Double { Self.processorSeconds(of: processId) }

    var processId: Int32 { process.processIdentifier }

    static func processorSeconds(of process: Int32) -> Double {
        let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        let fields = text.split(separator: ")").last.map { $0.split(separator: " ") } ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    var peakMebibytes: Double {
        let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return (Double(line.split(separator: " ").dropFirst().first ?? "0") ?? 0) / 1024
    }

    /// Bytes of the files under some folders of the data folder.
    func bytes(_ parts: [String]) -> Int {
        parts.reduce(0) { total, part in
            guard let names = FileManager.default.enumerator(atPath: folder + "/" + part) else { return total }
            var sum = total
            while let name = names.nextObject() as? String {
                var info = stat()
                if stat("\(folder)/\(part)/\(name)", &info) == 0, info.st_mode & S_IFMT == S_IFREG { sum += Int(info.st_size) }
            }
            return sum
        }
    }

    func stop(kill: Bool = false) {
        if kill { Foundation.kill(process.processIdentifier, SIGKILL) } else { process.terminate() }
        process.waitUntilExit()
    }
}
