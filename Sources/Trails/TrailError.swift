// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

public enum TrailError: Error, Equatable, CustomStringConvertible {
    case notFound(String)
    case alreadyExists(name: String, region: String)
    case tooMany(limit: Int)
    case bucketTaken(String)
    /// The ARN names no project that could be one.
    case badProject(String)
    case jobNotFound(Int)
    /// The trail has no destination.
    case jobNotPossible(String)
    case jobRunning(Int)
    case metadata(String)

    public var description: String {
        switch self {
        case .notFound: "The specified Trail does not exist."
        case .alreadyExists(let name, let region): "Trail name (\(name)) in region (\(region)) already exists."
        case .tooMany(let limit): "At most \(limit) trails can be created in a region."
        case .bucketTaken(let bucket): "The OSS bucket \(bucket) is already used by another trail."
        case .badProject(let arn): "\(arn) is no ARN of a Log Service project: acs:log:<region>:<account>:project/<name>"
        case .jobNotFound(let id): "The specified delivery history job \(id) does not exist."
        case .jobNotPossible(let reason): reason
        case .jobRunning(let id): "The delivery history job \(id) is still running; one runs at a time."
        case .metadata(let reason): reason
        }
    }
}
