// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Holds a folder for one process: a second holder is refused until the first ends, however it ends.
///
/// The kernel drops the lock with the process, so `kill -9` leaves nothing to clean up.
public final class FolderLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `.locked` while another process holds the folder.
    public init(folder: String) throws(DiskError) {
        let path = folder + "/lock"
        descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DiskError(errno: errno, doing: "open the lock file", path: path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = DiskError(errno: errno, doing: "lock the data folder", path: folder)
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }
}
