// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Keeps the memory of this process, with the keys in it, out of core files and away from debuggers of the same user.
/// For the start of the program, before any key is opened.
///
/// - Returns: whether the system took it.
@discardableResult
public func forbidCoreDumps() -> Bool {
    #if canImport(Glibc)
        let resource = __rlimit_resource_t(RLIMIT_CORE.rawValue)
    #else
        let resource = RLIMIT_CORE
    #endif
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    let isLimited = setrlimit(resource, &none) == 0
    #if os(Linux)
        // prctl has a variable number of arguments, which Swift does not import; the kernel reads five.
        typealias ProcessControl = @convention(c) (CInt, CUnsignedLong, CUnsignedLong, CUnsignedLong, CUnsignedLong) -> CInt
        let setDumpable: CInt = 4
        guard let symbol = dlsym(nil, "prctl") else { return false }
        return unsafeBitCast(symbol, to: ProcessControl.self)(setDumpable, 0, 0, 0, 0) == 0 && isLimited
    #else
        return isLimited
    #endif
}
