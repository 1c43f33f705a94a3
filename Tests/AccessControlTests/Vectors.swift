// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import TestSupport
import Testing

/// Captured requests and their signatures.
enum Vectors {
    static let actionTrail: ActionTrailVectors? = read("actiontrail-requests.json")
    static let oss: OSSVectors? = read("oss-requests.json")
    static let sls: SLSVectors? = read("sls-requests.json")
    static let kmsAndRAM: KMSAndRAMVectors? = read("kms-ram-requests.json")

    private static func read<Content: Decodable>(_ name: String) -> Content? {
        SharedFolder.vectors(name, keys: .convertFromSnakeCase)
    }
}

struct ActionTrailVectors: Decodable {
    struct Credentials: Decodable {
        let accessKeyId, accessKeySecret, securityToken: String
    }

    struct Request: Decodable {
        struct Wire: Decodable {
            let method, path, rawQuery, body: String
            let headers: [[String]]
        }

        struct Verification: Decodable {
            let scheme: String
            let canonicalQuery, canonicalRequest, stringToSign, signature, signedHeaders: String?
        }

        let id, operation: String
        let request: Wire
        let decodedOperationParameters: [String: String]
        let verification: Verification

        var wire: WireRequest {
            WireRequest(
                method: request.method, rawPath: request.path, rawQuery: request.rawQuery,
                headers: request.headers.map { WireHeader($0[0], $0[1]) }, body: Array(request.body.utf8))
        }

        var isV3: Bool { verification.scheme.hasPrefix("ACS3") }
        var isSigned: Bool { verification.signature != nil }
    }

    struct EncodedPair: Decodable {
        let raw, encoded: String
    }

    let credentials: Credentials
    let percentEncoding: [EncodedPair]
    let requests: [Request]
}

struct OSSVectors: Decodable {
    struct Credentials: Decodable {
        struct OSS: Decodable {
            let accessKeyId, accessKeySecret, stsToken: String
        }

        let oss: OSS
    }

    struct Request: Decodable {
        struct Wire: Decodable {
            let method, target: String
            let headers: [[String]]
        }

        struct Signing: Decodable {
            let version, place: String
            let stringToSign, signature: String
            let canonicalRequest: String?
        }

        let id, operation, bucket, key: String
        let request: Wire
        let signing: Signing?

        var wire: WireRequest {
            WireRequest(
                method: request.method, target: request.target,
                headers: request.headers.map { WireHeader($0[0], $0[1]) })
        }

        var resource: OSSResource {
            if bucket.isEmpty { return .service }
            return key.isEmpty ? .bucket(bucket) : .object(bucket: bucket, key: key)
        }
    }

    struct Clock: Decodable {
        let unix: Int64
    }

    struct Addressing: Decodable {
        let cname: [String: String]
    }

    let credentials: Credentials
    let clock: Clock
    let addressing: Addressing
    let ossRequests: [Request]
}

struct KMSAndRAMVectors: Decodable {
    struct Credential: Decodable {
        let secret: String
        let securityToken: String?
    }

    struct Request: Decodable {
        struct HTTP: Decodable {
            let method, target, body: String
            let headers: [[String]]
        }

        struct Signing: Decodable {
            let scheme: String
        }

        let id: String
        let note: String?
        let http: HTTP
        let signing: Signing

        var wire: WireRequest {
            WireRequest(
                method: http.method, target: http.target, headers: http.headers.map { WireHeader($0[0], $0[1]) },
                body: Array(http.body.utf8))
        }
    }

    let credentials: [String: Credential]
    let requests: [Request]
}

extension ActionTrailVectors.Request: CustomTestStringConvertible {
    var testDescription: String { id }
}

extension OSSVectors.Request: CustomTestStringConvertible {
    var testDescription: String { "\(id) \(operation)" }
}

extension KMSAndRAMVectors.Request: CustomTestStringConvertible {
    var testDescription: String { id }
}
