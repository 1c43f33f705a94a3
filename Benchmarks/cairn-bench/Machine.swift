// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where the figures are from.
enum Machine {
    static var description: String {
        let processor = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = processor.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last
        let information = ProcessInfo.processInfo
        let name = model.map { $0.trimmingCharacters(in: .whitespaces) } ?? "processor"
        return "\(information.processorCount) × \(name), \(information.physicalMemory >> 30) GiB"
    }
}
