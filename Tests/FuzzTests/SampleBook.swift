// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

extension PhraseBook {
    /// Of bodies such as the corpus has.
    static let fuzz = PhraseBook(from: sampleBodies)

    static let sampleBodies: [[UInt8]] = (0..<12).map { number in
        let id = "F90B88B7-7C24-566C-DB7F-22D28A3B\(6800 + number * 31)"
        let object = #"{"RegionId":"cn-hangzhou","Name":"n-\#(number)","Amount":\#(number % 3 + 10)}"#
        let text = object.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
        let body =
            #"{"acsRegion":"cn-hangzhou","apiVersion":"2014-05-26","eventId":"\#(id)","eventName":"RunInstances","#
            + #""eventVersion":1,"requestId":"\#(id)","requestParameterJson":"\#(text)","requestParameters":\#(object),"#
            + #""errorCode":null,"isGlobal":false,"serviceName":"Ecs","userIdentity":{"type":"ram-user"}}"#
        return Array(body.utf8)
    }
}

extension FrameDictionary {
    static let fuzz = FrameDictionary(id: 1, book: .fuzz, content: Array(PhraseBook.sampleBodies[..<4].joined()))
}

/// A record as a book writes it.
struct CodedRecord {
    var bytes: [UInt8]
    /// 16 bytes each.
    var identifiers: [UInt8]

    /// Nil for a record that stays as it is.
    init?(_ body: [UInt8], _ writer: PhraseWriter) {
        let coded = body.withUnsafeBytes { body -> (bytes: [UInt8], identifiers: [UInt8])? in
            writer.write(body).map { (Array($0.bytes), $0.identifiers) }
        }
        guard let coded else { return nil }
        bytes = coded.bytes
        identifiers = coded.identifiers
    }

    init(bytes: [UInt8], identifiers: [UInt8]) {
        self.bytes = bytes
        self.identifiers = identifiers
    }

    func decoded(with book: PhraseBook) -> [UInt8]? {
        bytes.withUnsafeBytes { bytes in
            identifiers.withUnsafeBytes { PhraseCode.decode(bytes, identifiers: $0, with: book) }
        }
    }
}
