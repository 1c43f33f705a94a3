// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CPKCS11
import Crypto
import Foundation

/// A session with a token, logged in, with the key found. For one thread at a time.
final class PKCS11Session: @unchecked Sendable {
    enum Direction { case seal, open }

    private let module: PKCS11Module
    private let session: ck_session_handle_t
    private let key: ck_object_handle_t
    /// The token does not know the session any more.
    private(set) var isLost = false

    init(_ module: PKCS11Module, tokenLabel: String, keyLabel: String, pin: SymmetricKey) throws(KeyError) {
        self.module = module
        let functions = module.functions.pointee
        let slot = try module.slot(tokenLabel: tokenLabel)
        var opened: ck_session_handle_t = 0
        try module.check(functions.C_OpenSession(slot, UInt(CKF_SERIAL_SESSION), nil, nil, &opened), "open a session")
        session = opened
        var found: ck_object_handle_t = 0
        do throws(KeyError) {
            let login = TokenLogins.login(tokenLabel, pin) {
                pin.withUnsafeBytes { bytes in
                    functions.C_Login(
                        opened, UInt(CKU_USER),
                        UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress), UInt(bytes.count))
                }
            }
            try module.check(login, "let us log in")
            found = try Self.find(keyLabel, module, opened)
        } catch {
            _ = functions.C_CloseSession(opened)
            throw error
        }
        key = found
    }

    /// Closing the last session of a process logs out.
    deinit { _ = module.functions.pointee.C_CloseSession(session) }

    private static func find(
        _ label: String, _ module: PKCS11Module, _ session: ck_session_handle_t
    ) throws(KeyError) -> ck_object_handle_t {
        let functions = module.functions.pointee
        var kind = UInt(CKO_SECRET_KEY)
        var type = UInt(CKK_AES)
        var text = Array(label.utf8)
        var found = [ck_object_handle_t](repeating: 0, count: 2)
        var count: UInt = 0
        let size = UInt(MemoryLayout<UInt>.size)
        let result = withUnsafeMutablePointer(to: &kind) { kind in
            withUnsafeMutablePointer(to: &type) { type in
                text.withUnsafeMutableBytes { text in
                    var template = [
                        ck_attribute(type: UInt(CKA_CLASS), value: kind, value_len: size),
                        ck_attribute(type: UInt(CKA_KEY_TYPE), value: type, value_len: size),
                        ck_attribute(type: UInt(CKA_LABEL), value: text.baseAddress, value_len: UInt(text.count)),
                    ]
                    let begun = functions.C_FindObjectsInit(session, &template, UInt(template.count))
                    guard begun == PKCS11Module.ok else { return begun }
                    let searched = functions.C_FindObjects(session, &found, 2, &count)
                    let ended = functions.C_FindObjectsFinal(session)
                    return searched == PKCS11Module.ok ? ended : searched
                }
            }
        }
        try module.check(result, "search for keys")
        guard count > 0 else { throw .token("there is no AES key with the label `\(label)` on it") }
        guard count == 1 else { throw .token("there are several AES keys with the label `\(label)` on it") }
        return found[0]
    }

    /// AES-GCM on the token; the tag (16 bytes) is at the end of the sealed form.
    ///
    /// - Throws: ``KeyError/cannotUnwrap`` if opening fails over the content, ``KeyError/token(_:)`` for all else.
    func crypt(
        _ direction: Direction, _ input: [UInt8], nonce: [UInt8], context: [UInt8]
    ) throws(KeyError) -> [UInt8] {
        let functions = module.functions.pointee
        var (input, nonce, context) = (input, nonce, context)
        var output = [UInt8](repeating: 0, count: input.count + 32)
        var count = UInt(output.count)
        let result = nonce.withUnsafeMutableBufferPointer { nonce in
            context.withUnsafeMutableBufferPointer { context in
                var parameters = ck_gcm_params(
                    iv_ptr: nonce.baseAddress, iv_len: UInt(nonce.count), iv_bits: UInt(nonce.count * 8),
                    aad_ptr: context.baseAddress, aad_len: UInt(context.count), tag_bits: 128)
                return withUnsafeMutablePointer(to: &parameters) { parameters in
                    var mechanism = ck_mechanism(
                        mechanism: UInt(CKM_AES_GCM), parameter: parameters,
                        parameter_len: UInt(MemoryLayout<ck_gcm_params>.size))
                    switch direction {
                    case .seal:
                        let begun = functions.C_EncryptInit(session, &mechanism, key)
                        guard begun == PKCS11Module.ok else { return begun }
                        return functions.C_Encrypt(session, &input, UInt(input.count), &output, &count)
                    case .open:
                        let begun = functions.C_DecryptInit(session, &mechanism, key)
                        guard begun == PKCS11Module.ok else { return begun }
                        return functions.C_Decrypt(session, &input, UInt(input.count), &output, &count)
                    }
                }
            }
        }
        input.withUnsafeMutableBytes { wipeMemory($0) }
        guard result == PKCS11Module.ok else {
            output.withUnsafeMutableBytes { wipeMemory($0) }
            let gone = [CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED, CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT]
            isLost =
                gone.contains { UInt($0) == result } || result == UInt(CKR_USER_NOT_LOGGED_IN)
                || result == UInt(CKR_KEY_HANDLE_INVALID) || result == UInt(CKR_OBJECT_HANDLE_INVALID)
            // SoftHSM gives a general error for a tag that does not fit.
            let refused = [CKR_ENCRYPTED_DATA_INVALID, CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED]
            if direction == .open, refused.contains(where: { UInt($0) == result }) { throw .cannotUnwrap }
            throw .token("it refuses to \(direction == .seal ? "wrap" : "open") a key (\(PKCS11Module.name(of: result)))")
        }
        let answer = Array(output.prefix(Int(count)))
        output.withUnsafeMutableBytes { wipeMemory($0) }
        return answer
    }
}
