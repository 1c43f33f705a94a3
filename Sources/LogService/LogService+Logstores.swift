// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogEngine

/// Making, changing and removing logstores.
extension LogService {
    /// Registers a logstore; its key is tried first.
    public func createLogstore(_ logstore: Logstore) async throws {
        try tryKey(of: logstore)
        try registry.createLogstore(logstore)
    }

    /// Changes what encrypts a logstore's logs from now on; older ones stay under the key that they are under.
    public func updateEncryption(_ encryption: LogstoreEncryption, of logstore: Logstore) async throws {
        var changed = logstore
        changed.encryption = encryption
        try tryKey(of: changed)
        try registry.updateLogstore(logstore.name, project: logstore.project) { $0.encryption = encryption }
        // Opened again with the key in force when somebody asks for it.
        try await LongWork.open { [self] in close(slot(logstore)) }
    }

    private func tryKey(of logstore: Logstore) throws {
        _ = try LogstoreKey(of: logstore, keys: keys, region: settings.region)
        try LogstoreKey.checkUsable(of: logstore, keys: keys, region: settings.region)
    }

    /// Removes the logs of a logstore that the registry has forgotten.
    public func remove(_ logstore: Logstore) async throws {
        try await LongWork.open { [self] in try removeNow(logstore) }
    }

    private func removeNow(_ logstore: Logstore) throws {
        try slot(logstore).store.withLock { store in
            store?.close()
            store = nil
            try metadata.transact { transaction in
                try transaction.delete(LogStore.fieldsPath(logstore.id))
                try transaction.delete(DeliveryStreams.path(logstore.id))
            }
            try removeFiles(of: logstore.id, in: folder(logstore.project, logstore.name))
        }
        slots.withLock { $0[logstore.id] = nil }
    }

    private func removeFiles(of id: String, in parent: String) throws {
        let folder = parent + "/" + id
        for name in ["/journal", "/segments", "/dictionaries", ""] {
            for file in try disk.list(folder + name) where try disk.size(of: folder + name + "/" + file) != nil {
                try disk.remove(folder + name + "/" + file)
            }
            try disk.removeDirectory(folder + name)
        }
        // The next logstore of the name may be there already.
        for folder in [parent, (parent as NSString).deletingLastPathComponent] where try disk.list(folder).isEmpty {
            try disk.removeDirectory(folder)
        }
    }

    /// Removes logs whose logstore was forgotten before a crash. What cannot be removed is told, and tried again at the next
    /// opening: it keeps nobody from his logs.
    func removeForgotten() {
        do {
            // Only what is certainly forgotten: a registry that cannot be read says nothing.
            let known = Set(try registry.allLogstores().map(\.id))
            for project in try disk.list(folder) {
                for name in try disk.list(folder(project)) {
                    let parent = folder(project, name)
                    for id in try disk.list(parent) where !known.contains(id) { removeForgotten(id, in: parent) }
                }
            }
        } catch { report(.backgroundFailure(what: "look for the logs of deleted logstores", error: error)) }
    }

    private func removeForgotten(_ id: String, in parent: String) {
        do {
            guard UUID(uuidString: id) != nil else { throw ForeignFolder() }
            try removeFiles(of: id, in: parent)
        } catch { report(.backgroundFailure(what: "remove `\(parent)/\(id)`, which is of no logstore", error: error)) }
    }
}

/// A folder that nothing says is a logstore's.
private struct ForeignFolder: Error, CustomStringConvertible {
    var description: String {
        "it was not made by this version and stays as it is: move it out of the data folder, or delete it if nobody needs the "
            + "logs in it"
    }
}
