// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One cloud service as its events name it.
package struct Service: Sendable {
    package var product: String
    package var apiVersion: String?
    package var host: String
    package var console: String
    package var isGlobal = false
    /// RPC gateways add facts about the connection to the recorded parameters; REST services do not.
    package var hasGateway = true
    /// The name the service bears in permission names, such as `ecs:StopInstance`.
    package var permissionPrefix: String

    package static let ecs = regional("Ecs", "2014-05-26", "ecs")
    package static let rds = regional("Rds", "2014-08-15", "rds")
    package static let vpc = regional("Vpc", "2016-04-28", "vpc")
    package static let slb = regional("Slb", "2014-05-15", "slb")
    package static let kms = regional("Kms", "2016-01-20", "kms")
    package static let actionTrail = regional("Actiontrail", "2020-07-06", "actiontrail")
    package static let oss = Service(
        product: "Oss", apiVersion: "2019-05-17", host: "oss-‹region›.aliyuncs.com",
        console: "oss.console.aliyun.com", hasGateway: false, permissionPrefix: "oss")
    package static let sls = Service(
        product: "Sls", apiVersion: "2020-12-30", host: "‹region›.log.aliyuncs.com",
        console: "sls.console.aliyun.com", hasGateway: false, permissionPrefix: "log")
    package static let kubernetes = Service(
        product: "CS", apiVersion: "2015-12-15", host: "cs.‹region›.aliyuncs.com",
        console: "cs.console.aliyun.com", hasGateway: false, permissionPrefix: "cs")
    package static let ram = global("Ram", "2015-05-01", "ram")
    package static let sts = global("Sts", "2015-04-01", "sts")
    package static let dns = global("Alidns", "2015-01-09", "alidns")
    package static let billing = Service(
        product: "BssOpenApi", apiVersion: "2017-12-14", host: "business.aliyuncs.com",
        console: "usercenter2.aliyun.com", isGlobal: true, permissionPrefix: "bss")
    package static let signIn = Service(
        product: "AasSub", apiVersion: nil, host: "signin.aliyun.com", console: "signin.aliyun.com",
        isGlobal: true, hasGateway: false, permissionPrefix: "signin")

    private static func regional(_ product: String, _ version: String, _ name: String) -> Service {
        Service(
            product: product, apiVersion: version, host: "\(name).‹region›.aliyuncs.com",
            console: "\(name).console.aliyun.com", permissionPrefix: name)
    }

    private static func global(_ product: String, _ version: String, _ name: String) -> Service {
        Service(
            product: product, apiVersion: version, host: "\(name).aliyuncs.com",
            console: "\(name).console.aliyun.com", isGlobal: true, permissionPrefix: name)
    }

    package func read(_ name: String, _ parameters: JSON, on resource: Resource? = nil) -> Operation {
        Operation(service: self, name: name, writes: false, parameters: parameters, resource: resource)
    }

    package func write(
        _ name: String, _ parameters: JSON, on resource: Resource? = nil, returns response: JSON = [:]
    ) -> Operation {
        Operation(
            service: self, name: name, writes: true, parameters: parameters, response: response,
            resource: resource)
    }
}
