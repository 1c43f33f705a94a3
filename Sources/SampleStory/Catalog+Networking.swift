// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension Catalog {
    package static let networking: [Operation] = [
        Service.vpc.read("DescribeVpcs", ["RegionId": "‹region›", "VpcId": "‹vpc›", "PageSize": 50], on: .vpc),
        Service.vpc.read(
            "DescribeVSwitches", ["RegionId": "‹region›", "VpcId": "‹vpc›", "PageNumber": .number(.page)],
            on: .vpc),
        Service.vpc.read(
            "DescribeVSwitchAttributes", ["RegionId": "‹region›", "VSwitchId": "‹vswitch›"], on: .vswitch),
        Service.vpc.read(
            "DescribeRouteTableList", ["RegionId": "‹region›", "VpcId": "‹vpc›", "PageSize": 50], on: .vpc),
        Service.vpc.read(
            "DescribeRouteEntryList",
            ["RegionId": "‹region›", "RouteTableId": "‹table›", "MaxResult": 100], on: .table),
        Service.vpc.read("DescribeNatGateways", ["RegionId": "‹region›", "VpcId": "‹vpc›"], on: .vpc),
        Service.vpc.read("DescribeEipAddresses", ["RegionId": "‹region›", "Status": "InUse", "PageSize": 100]),
        Service.vpc.write(
            "CreateRouteEntry",
            [
                "RegionId": "‹region›", "RouteTableId": "‹table›", "DestinationCidrBlock": "‹cidr›",
                "NextHopType": "Instance", "NextHopId": "‹instance›", "ClientToken": "‹token›",
            ], on: .table),
        Service.vpc.write(
            "ModifyVSwitchAttribute",
            ["RegionId": "‹region›", "VSwitchId": "‹vswitch›", "Description": "managed by terraform run ‹build›"],
            on: .vswitch),
        Service.slb.read(
            "DescribeLoadBalancers",
            ["RegionId": "‹region›", "VpcId": "‹vpc›", "PageNumber": .number(.page), "PageSize": 50], on: .vpc),
        Service.slb.read(
            "DescribeLoadBalancerAttribute", ["RegionId": "‹region›", "LoadBalancerId": "‹balancer›"],
            on: .balancer),
        Service.slb.read(
            "DescribeHealthStatus",
            ["RegionId": "‹region›", "LoadBalancerId": "‹balancer›", "ListenerPort": 443], on: .balancer),
        Service.slb.read(
            "DescribeVServerGroups", ["RegionId": "‹region›", "LoadBalancerId": "‹balancer›"], on: .balancer),
        Service.slb.write(
            "AddVServerGroupBackendServers",
            [
                "RegionId": "‹region›", "VServerGroupId": "rsp-‹code›",
                "BackendServers": .document([["ServerId": "‹instance›", "Port": 8443, "Weight": 100]]),
            ], on: .balancer),
        Service.slb.write(
            "RemoveVServerGroupBackendServers",
            [
                "RegionId": "‹region›", "VServerGroupId": "rsp-‹code›",
                "BackendServers": .document([["ServerId": "‹instance›", "Port": 8443]]),
            ], on: .balancer),
        Service.slb.write(
            "SetLoadBalancerHTTPSListenerAttribute",
            [
                "RegionId": "‹region›", "LoadBalancerId": "‹balancer›", "ListenerPort": 443,
                "HealthCheck": "on", "HealthCheckTimeout": 5, "TLSCipherPolicy": "tls_cipher_policy_1_2",
            ], on: .balancer),
        Service.dns.read("DescribeDomains", ["PageNumber": .number(.page), "PageSize": 20]),
        Service.dns.read(
            "DescribeDomainRecords",
            ["DomainName": "‹domain›", "RRKeyWord": "_acme-challenge", "TypeKeyWord": "TXT", "PageSize": 100],
            on: .domain),
        Service.dns.write(
            "AddDomainRecord",
            [
                "DomainName": "‹domain›", "RR": "_acme-challenge.app", "Type": "TXT", "Value": "‹token›",
                "TTL": 600,
            ], on: .domain, returns: ["RequestId": "‹requestId›", "RecordId": "‹record›"]),
        Service.dns.write(
            "DeleteDomainRecord", ["RecordId": "‹record›", "Lang": "en"], on: .domain,
            returns: ["RequestId": "‹requestId›", "RecordId": "‹record›"]),
    ]
}
