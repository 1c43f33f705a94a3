// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ObjectStorage

/// A project of another log service that trails may deliver to, as configured; secrets only by where they are.
public struct RemoteLogProject: Sendable, Equatable {
    /// How the logstores that are made there are encrypted.
    public struct Encryption: Sendable, Equatable {
        /// A customer's key that the log service uses under a role.
        public struct Key: Sendable, Equatable {
            public var id: String
            public var roleARN: String
            public var region: String

            public init(id: String, roleARN: String, region: String) {
                self.id = id
                self.roleARN = roleARN
                self.region = region
            }
        }

        /// `default` or `sm4`.
        public var type: String
        /// Nil for a key of the log service.
        public var key: Key?

        public init(type: String, key: Key? = nil) {
            self.type = type
            self.key = key
        }
    }

    /// The project name in the ARN of trails that deliver here.
    public var name: String
    public var endpoint: RemoteEndpoint
    public var region: String
    /// The name that the log service knows it by.
    public var project: String
    public var access: RemoteAccess
    public var encryption: Encryption?

    public init(name: String, endpoint: RemoteEndpoint, region: String, project: String, access: RemoteAccess) {
        self.name = name
        self.endpoint = endpoint
        self.region = region
        self.project = project
        self.access = access
    }

    var place: RemotePlace {
        RemotePlace(name: name, kind: RemotePlace.logProject, bucket: project, endpoint: endpoint)
    }
}
