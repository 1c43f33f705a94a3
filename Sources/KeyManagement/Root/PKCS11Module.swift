// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CPKCS11
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A PKCS#11 module, loaded and initialised. It stays loaded until the process ends: modules are not made to be
/// unloaded while another user of the same library may be there.
final class PKCS11Module: @unchecked Sendable {
    /// A table of functions that the module owns and never changes.
    let functions: UnsafeMutablePointer<ck_function_list>
    private let path: String

    init(path: String) throws(KeyError) {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw .token("the module `\(path)` cannot be loaded: \(dlerror().map { String(cString: $0) } ?? "unknown reason")")
        }
        typealias GetFunctions = @convention(c) (UnsafeMutablePointer<UnsafeMutablePointer<ck_function_list>?>?) -> ck_rv_t
        var list: UnsafeMutablePointer<ck_function_list>?
        guard let symbol = dlsym(handle, "C_GetFunctionList"),
            unsafeBitCast(symbol, to: GetFunctions.self)(&list) == Self.ok, let list
        else { throw .token("`\(path)` is not a PKCS#11 module") }
        functions = list
        self.path = path
        try start()
    }

    private func start() throws(KeyError) {
        var arguments = ck_c_initialize_args()
        arguments.flags = UInt(CKF_OS_LOCKING_OK)
        let result = withUnsafeMutablePointer(to: &arguments) { functions.pointee.C_Initialize($0) }
        guard result == Self.ok || result == UInt(CKR_CRYPTOKI_ALREADY_INITIALIZED) else {
            throw .token("the module `\(path)` does not start (\(Self.name(of: result)))")
        }
    }

    /// Every session and login of the process with it is gone afterwards.
    func restart() throws(KeyError) {
        _ = functions.pointee.C_Finalize(nil)
        try start()
    }

    static let ok = UInt(CKR_OK)

    /// The slot whose token has the label.
    func slot(tokenLabel: String) throws(KeyError) -> UInt {
        var count: UInt = 0
        try check(functions.pointee.C_GetSlotList(1, nil, &count), "list its tokens")
        var slots = [UInt](repeating: 0, count: Int(count))
        try check(functions.pointee.C_GetSlotList(1, &slots, &count), "list its tokens")
        let matching = slots.prefix(Int(count)).filter { slot in
            var info = ck_token_info()
            guard functions.pointee.C_GetTokenInfo(slot, &info) == Self.ok else { return false }
            let label = withUnsafeBytes(of: info.label) { String(decoding: $0, as: UTF8.self) }
            return label.trimmingCharacters(in: .whitespaces) == tokenLabel
        }
        guard let slot = matching.first else { throw .token("there is no token with the label `\(tokenLabel)`") }
        guard matching.count == 1 else { throw .token("there are \(matching.count) tokens with the label `\(tokenLabel)`") }
        return slot
    }

    func check(_ result: ck_rv_t, _ attempt: String) throws(KeyError) {
        guard result == Self.ok else { throw .token("it refuses to \(attempt) (\(Self.name(of: result)))") }
    }

    static func name(of result: ck_rv_t) -> String {
        switch result {
        case UInt(CKR_PIN_INCORRECT): "the PIN is wrong"
        case UInt(CKR_PIN_INVALID), UInt(CKR_PIN_LEN_RANGE): "the PIN has not the form of a PIN"
        case UInt(CKR_PIN_LOCKED): "the PIN is locked after too many wrong ones"
        case UInt(CKR_PIN_EXPIRED): "the PIN has expired"
        case UInt(CKR_MECHANISM_INVALID): "the token has no AES-GCM"
        case UInt(CKR_KEY_FUNCTION_NOT_PERMITTED): "the key may not be used for this"
        case UInt(CKR_TOKEN_NOT_PRESENT), UInt(CKR_DEVICE_REMOVED): "the token is gone"
        default: "error 0x" + String(result, radix: 16)
        }
    }
}
