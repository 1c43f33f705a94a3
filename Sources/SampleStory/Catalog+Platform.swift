// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension Catalog {
    package static let platform: [Operation] = [
        Service.actionTrail.read("DescribeTrails", ["IncludeShadowTrails": true, "NameList": "‹trail›"], on: .trail),
        Service.actionTrail.read("GetTrailStatus", ["Name": "‹trail›", "IsOrganizationTrail": false], on: .trail),
        Service.actionTrail.read(
            "LookupEvents",
            [
                "LookupAttribute.1.Key": "‹attribute›", "LookupAttribute.1.Value": "‹user›", "StartTime": "‹since›",
                "EndTime": "‹time›", "MaxResults": "50", "Direction": "BACKWARD",
            ]),
        Service.actionTrail.read("GetAccessKeyLastUsedInfo", ["AccessKey": "‹keyId›"]),
        Service.actionTrail.write("StartLogging", ["Name": "‹trail›"], on: .trail),
        Service.actionTrail.write("StopLogging", ["Name": "‹trail›"], on: .trail),
        Service.actionTrail.write("DeleteTrail", ["Name": "‹trail›"], on: .trail),
        Service.billing.read("QueryAccountBalance", [:]),
        Service.billing.read(
            "QueryBillOverview", ["BillingCycle": "‹date›", "ProductType": "PayAsYouGoBill"]
        ).asKind(.consoleOperation),
        Service.billing.read(
            "DescribeInstanceBill", ["BillingCycle": "‹date›", "InstanceID": "‹instance›", "MaxResults": 300],
            on: .instance),
        Service.billing.write("UpdateBudget", ["Amount": .number(.duration), "Currency": "CNY", "Name": "monthly"])
            .asKind(.consoleOperation),
    ]

    package static let signIns: [Operation] = [
        Service.signIn.write("ConsoleSignin", [:]).asKind(.signIn),
        Service.signIn.write("ConsoleSignout", [:]).asKind(.signOut),
    ]
}
