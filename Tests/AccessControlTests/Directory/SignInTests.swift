// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import Testing

@Suite struct `Signing in` {
    private let registry: Registry
    private let store: IdentityStore
    private let account = Registry.account
    private let password = Secret("Tr0ub4dor&3x")

    init() throws {
        registry = try Registry()
        store = try registry.open()
        _ = try store.createUser("ann", UserDetails(), account: account)
    }

    private func allow(reset: Bool = false, device: Bool = false) throws {
        _ = try store.createLoginProfile(
            "ann", password: password, isResetRequired: reset, isMultiFactorRequired: device, account: account)
    }

    private func refusal(
        _ name: String = "ann@1000000000000001", _ password: Secret? = nil, code: String? = nil,
        from address: String = "192.0.2.1"
    ) throws -> SignInRefusal? {
        do {
            _ = try store.signIn(name, password: password ?? self.password, code: code, from: address)
            return nil
        } catch let refusal as SignInRefusal { return refusal }
    }

    @Test func `takes the password of a user who may`() throws {
        #expect(try refusal() == .wrong)
        try allow()
        #expect(try refusal() == nil)
        #expect(try refusal("ANN@1000000000000001.onaliyun.com") == nil)
        #expect(try refusal("ann") == .wrong && refusal("ben@1000000000000001") == .wrong)
        #expect(try refusal("ann@2000000000000002") == .wrong && refusal("ann@1000000000000001@x") == .wrong)
        #expect(try refusal("ann@1000000000000001", Secret("tr0ub4dor&3x")) == .wrong)
        try store.setAlias("Example-Corp", account: account)
        #expect(try refusal("ann@example-corp.onaliyun.com") == nil)
        #expect(try store.user("ann", account: account).lastLoginAt == registry.seconds)
        try store.deleteLoginProfile("ann", account: account)
        #expect(try refusal() == .wrong)
    }

    @Test func `stops guessing, for an hour`() throws {
        try allow()
        for _ in 0..<5 { #expect(try refusal("ann@1000000000000001", Secret("guess")) == .wrong) }
        #expect(try refusal() == .tooManyAttempts)
        #expect(
            code { try store.changePassword("ann", from: password, to: Secret("N3w&longer"), account: account) }
                == "Throttling.User")
        registry.pass(seconds: 3600)
        #expect(try refusal() == nil)
    }

    @Test func `follows the password policy`() throws {
        for weak in ["Sh0rt&x", "nouppercase0&", "NOLOWERCASE0&", "NoDigits&&", "NoSymbols00"] {
            let made = code {
                _ = try store.createLoginProfile(
                    "ann", password: Secret(weak), isResetRequired: false, isMultiFactorRequired: false, account: account)
            }
            #expect(made == "InvalidParameter.Password.TooWeak", "\(weak)")
        }
        try allow(reset: true)
        #expect(try refusal() == .resetRequired)
        func change(_ old: Secret, _ new: String) -> String {
            code { try store.changePassword("ann", from: old, to: Secret(new), account: account) }
        }
        #expect(change(Secret("wrong"), "An0ther&one") == "InvalidParameter.OldPassword.Incorrect")
        #expect(change(password, password.reveal()) == "InvalidParameter.NewPassword.ReusePrevention")
        #expect(change(password, "An0ther&one") == "none")
        #expect(change(Secret("An0ther&one"), password.reveal()) == "InvalidParameter.NewPassword.ReusePrevention")
        #expect(try refusal("ann@1000000000000001", Secret("An0ther&one")) == nil)
        registry.pass(seconds: 90 * 86_400)
        #expect(try refusal("ann@1000000000000001", Secret("An0ther&one")) == .resetRequired)
        var policy = PasswordPolicy()
        policy.hardExpiry = true
        try store.setPasswordPolicy(policy, account: account)
        #expect(try refusal("ann@1000000000000001", Secret("An0ther&one")) == .expired)
    }

    @Test func `takes addresses of the account only`() throws {
        try allow()
        var preference = SecurityPreference()
        preference.loginNetworkMasks = "192.0.2.0/24;2001:db8::/32"
        try store.setPreference(preference, account: account)
        #expect(try refusal(from: "192.0.2.77") == nil && refusal(from: "2001:db8::1") == nil)
        #expect(try refusal(from: "198.51.100.1") == .address && refusal(from: "unknown") == .address)
        preference.loginNetworkMasks = "192.0.2.0/24;everywhere"
        #expect(code { try store.setPreference(preference, account: account) } == "InvalidParameter.LoginNetworkMasks.Format")
    }

    @Test func `takes each code of a device once`() throws {
        try allow(device: true)
        #expect(try refusal() == .multiFactorRequired)
        let (serialNumber, text) = try store.createDevice("ann-phone", account: account)
        let seed = unbase32(text.reveal())
        var step: Int64 { registry.seconds / 30 }
        func shown(_ ahead: Int64 = 0) -> String { OneTimePassword.code(seed: seed, step: step + ahead) }
        func bind(_ one: String, _ two: String) -> String {
            code { try store.bindDevice(serialNumber: serialNumber, to: "ann", codes: (one, two), account: account) }
        }
        #expect(bind(shown(), shown()) == "CheckAuthenticationCodeFail")
        #expect(bind(shown(-9), shown(-8)) == "CheckAuthenticationCodeFail")
        #expect(bind(shown(-1), shown()) == "none")
        #expect(bind(shown(-1), shown()) == "EntityAlreadyExists.User.MFADevice")
        #expect(try refusal(code: shown()) == .wrong, "used to bind")
        registry.pass(seconds: 30)
        #expect(try refusal(code: "000000") == .wrong && refusal() == .multiFactorRequired)
        #expect(try refusal(code: shown()) == nil)
        #expect(try refusal(code: shown()) == .wrong, "seen over a shoulder")
        #expect(
            code { try store.deleteDevice(serialNumber: serialNumber, account: account) }
                == "DeleteConflict.VirtualMFADevice.User")
        #expect(try store.unbindDevice(ofUser: "ann", account: account) == serialNumber)
        try store.deleteDevice(serialNumber: serialNumber, account: account)
        #expect(store.devices(account: account).isEmpty)
    }

    /// RFC 6238 appendix B, the last six of its eight digits.
    @Test(
        arguments: [
            (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
            (2_000_000_000, "279037"), (20_000_000_000, "353130"),
        ] as [(Int64, String)])
    func `shows the codes of RFC 6238`(seconds: Int64, code: String) {
        #expect(OneTimePassword.code(seed: "12345678901234567890".utf8, step: seconds / 30) == code)
    }

    /// RFC 4648 section 10.
    @Test(arguments: [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")])
    func `writes base32`(text: String, expected: String) {
        #expect(OneTimePassword.base32(Array(text.utf8)) == expected)
    }

    private func unbase32(_ text: String) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        let bits = text.flatMap { letter in (0..<5).map { alphabet.firstIndex(of: letter)! >> (4 - $0) & 1 } }
        return stride(from: 0, to: bits.count - 7, by: 8).map { start in
            UInt8(bits[start..<start + 8].reduce(0) { $0 << 1 | $1 })
        }
    }
}
