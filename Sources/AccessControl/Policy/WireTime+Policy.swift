// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension WireTime {
    /// `2019-08-12T17:00:00+08:00` or `2019-08-12T09:00:00Z`, as conditions write dates (ram.md section 4).
    init?(policyDate text: String) {
        let bytes = Array(text.utf8)
        let local = String(decoding: bytes.prefix(19), as: UTF8.self) + "Z"
        guard let time = WireTime(iso8601: local) else { return nil }
        let zone = bytes.dropFirst(19)
        if zone.elementsEqual("Z".utf8) {
            self = time
            return
        }
        let digits = [1, 2, 4, 5].map { place in zone.dropFirst(place).first.map { Int64($0) - 48 } ?? -1 }
        guard zone.count == 6, let sign = zone.first, sign == Ascii.plus || sign == UInt8(ascii: "-"),
            zone.dropFirst(3).first == Ascii.colon, digits.allSatisfy({ (0...9).contains($0) })
        else { return nil }
        let (hours, minutes) = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3])
        guard hours <= 14, minutes < 60 else { return nil }
        let offset = hours * 3600 + minutes * 60
        self = sign == Ascii.plus ? time - offset : time + offset
    }
}
