// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import DurableFiles
import Foundation
import KeyManagement
import Metadata
import Synchronization

/// A directory in memory, with a clock that tests set.
final class Registry: Sendable {
    static let account = "1000000000000001"

    let metadata: Metadata
    private let keys: KeyService
    private let time = Mutex(Date(timeIntervalSince1970: 1_790_000_000))

    init() throws {
        metadata = try Metadata(path: nil)
        keys = try KeyService(metadata: metadata, rootKeyPath: "d/root.key", disk: MemoryDisk())
    }

    var seconds: Int64 { time.withLock { Int64($0.timeIntervalSince1970) } }

    func pass(seconds: Double) { time.withLock { $0 += seconds } }

    /// What a start of the service finds.
    func open() throws -> IdentityStore {
        try IdentityStore(metadata: metadata, keys: keys, scryptRounds: 2) { self.time.withLock { $0 } }
    }
}

func code(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "none"
    } catch let error as DirectoryError { return error.code } catch { return "\(error)" }
}

func document(_ action: String, _ effect: String = "Allow") -> String {
    #"{"Version":"1","Statement":[{"Effect":"\#(effect)","Action":"\#(action)","Resource":"*"}]}"#
}

func trust(_ principal: String = #"{"RAM":["acs:ram::1000000000000001:root"]}"#) -> String {
    #"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":\#(principal)}]}"#
}
