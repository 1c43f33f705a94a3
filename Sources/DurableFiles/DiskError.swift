// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What went wrong with a file, for programs (`code`) and for people (`description`).
public struct DiskError: Error, Equatable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        case full, io, notFound, exists, denied, truncated, tooLarge, locked, other
    }

    public var code: Code
    /// What was being attempted.
    public var attempt: String
    public var path: String
    public var systemError: Int32

    public init(_ code: Code, doing attempt: String, path: String, systemError: Int32 = 0) {
        self.code = code
        self.attempt = attempt
        self.path = path
        self.systemError = systemError
    }

    init(errno number: Int32, doing attempt: String, path: String) {
        let code: Code =
            switch number {
            case ENOSPC, EDQUOT, EFBIG: .full
            case EIO: .io
            case ENOENT: .notFound
            case EEXIST: .exists
            case EACCES, EPERM, EROFS: .denied
            case EWOULDBLOCK: .locked
            default: .other
            }
        self.init(code, doing: attempt, path: path, systemError: number)
    }

    public var description: String {
        let reason = systemError == 0 ? "\(code)" : String(cString: strerror(systemError))
        return "cannot \(attempt)\(path.isEmpty ? "" : " (`\(path)`)"): \(reason)"
    }
}
