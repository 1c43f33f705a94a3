# The access-key audit as the official SDK calls it: last uses against plain loops, pages, permissions, refusals.
# SPDX-License-Identifier: Apache-2.0
import datetime
import json
import random

import pytest
from alibabacloud_actiontrail20200706 import models as m

from support import ACCOUNT, KEY, compact, event, iso, now
from test_access_review import granted, rule
from test_sdk_trails import call, refusal, sdk

AUDITED = "LTAI5tMadeUpAuditedKey1"
LISTS = {
    "events": ("EventName", lambda e: [e["eventName"]]), "ips": ("Ip", lambda e: [e["sourceIpAddress"]]),
    "resources": ("ResourceName", lambda e: e["referencedResources"]["ACS::ECS::Instance"]),
}


def milliseconds(e):
    moment = datetime.datetime.strptime(e["eventTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp() * 1000)


def used(number, key=AUDITED, **changes):
    return event(number, userIdentity={"type": "ram-user", "principalId": "200000000000000042", "accountId": ACCOUNT,
                                       "accessKeyId": key, "userName": "olga"}, **changes)


@pytest.fixture(scope="module")
def uses(module_server):
    choose = random.Random(11)
    # The order of the list is that in which they are recorded: within a second the later one is newer.
    events = [used(
        i, eventId=f"use-{i}", serviceName=choose.choice(["Ecs", "Ecs", "Oss"]), eventName=f"Call{choose.randrange(45)}",
        sourceIpAddress=f"203.0.113.{choose.randrange(5)}", resourceType=None, resourceName=None,
        referencedResources={"ACS::ECS::Instance": sorted({f"i-{choose.randrange(150)}" for _ in range(3)})},
        eventTime=iso(now() - datetime.timedelta(seconds=choose.randrange(10, 300)))) for i in range(900)]
    events.append(used(1000, key="LTAI5tSomebodyElse00001", eventName="NotOurs", serviceName="Ecs"))
    for first in range(0, len(events), 300):
        module_server.record(events[first:first + 300])
    return events


def newest(events, values, service="Ecs"):
    """Time of the newest event, and itself, by value."""
    found = {}
    for place, e in enumerate(events):
        if e["userIdentity"]["accessKeyId"] != AUDITED or (service and e["serviceName"] != service):
            continue
        for value in values(e):
            found[value] = max(found.get(value, (0, 0)), (milliseconds(e), place))
    return found


def entries(client, what, request_class, key=AUDITED, service="Ecs", size=None):
    """Every entry of a list, page by page."""
    found, token = [], None
    while True:
        request = request_class(access_key=key, service_name=service, page_size=size, next_token=token)
        body = call(client, "get_access_key_last_used_" + what, request)
        page = body.to_map()[what.capitalize()]
        assert len(page) <= int(size or 20)
        found += page
        token = body.next_token
        if not token:
            return found


REQUESTS = {
    "events": m.GetAccessKeyLastUsedEventsRequest, "ips": m.GetAccessKeyLastUsedIpsRequest,
    "resources": m.GetAccessKeyLastUsedResourcesRequest,
}


@pytest.mark.parametrize("signature", ["v3", "v1"])
@pytest.mark.parametrize("what", sorted(LISTS))
def test_lists_agree_with_a_plain_loop(server, uses, what, signature):
    name, values = LISTS[what]
    expected = newest(uses, values)
    for size in (None, "7", "100"):
        got = entries(sdk(server, signature), what, REQUESTS[what], size=size)
        assert [e[name] for e in got] == sorted(expected, key=lambda v: expected[v], reverse=True) or what == "resources"
        assert {e[name]: e["UsedTimestamp"] for e in got} == {v: time for v, (time, _) in expected.items()}
        assert len(got) == len(expected), "an entry came twice"
        times = [e["UsedTimestamp"] for e in got]
        assert times == sorted(times, reverse=True)
        for e in got:
            assert e["Detail"].encode() == compact(uses[expected[e[name]][1]]) and e["Source"] == "ManagementEvent"
    if what == "resources":
        assert {e["ResourceType"] for e in got} == {"ACS::ECS::Instance"}


def test_the_newest_use(server, uses):
    client = sdk(server)
    last = max(newest(uses, lambda e: ["x"], service=None).values())
    body = call(client, "get_access_key_last_used_info", m.GetAccessKeyLastUsedInfoRequest(access_key=AUDITED))
    e = uses[last[1]]
    assert (body.access_key_id, body.account_id, body.account_type, body.owner_id, body.user_name) == (
        AUDITED, ACCOUNT, "ram-user", "200000000000000042", "olga")
    assert (body.service_name, body.service_name_cn, body.service_name_en) == (e["serviceName"],) * 3
    assert (body.used_timestamp, body.source, json.loads(body.detail)) == (last[0], "ManagementEvent", e)
    services = call(client, "get_access_key_last_used_products", m.GetAccessKeyLastUsedProductsRequest(access_key=AUDITED))
    expected = newest(uses, lambda e: [e["serviceName"]], service=None)
    assert [(p.service_name, p.used_timestamp) for p in services.products] == [
        (s, expected[s][0]) for s in sorted(expected, key=lambda s: expected[s], reverse=True)]
    # The root key's own calls count, those before this one.
    body = call(client, "get_access_key_last_used_info", m.GetAccessKeyLastUsedInfoRequest(access_key=KEY))
    assert (body.account_type, body.user_name, body.owner_id) == ("root-account", "root", ACCOUNT)


def test_a_key_without_uses(server, uses):
    client = sdk(server)
    body = call(client, "get_access_key_last_used_info", m.GetAccessKeyLastUsedInfoRequest(access_key="LTAI5tNeverUsed000001"))
    assert body.access_key_id == "LTAI5tNeverUsed000001" and body.used_timestamp is None and body.detail is None
    assert call(client, "get_access_key_last_used_products",
                m.GetAccessKeyLastUsedProductsRequest(access_key="LTAI5tNeverUsed000001")).products == []
    for what, request in REQUESTS.items():
        assert entries(client, what, request, key="LTAI5tNeverUsed000001") == []
        assert entries(client, what, request, service="Nothing") == []


def test_a_claim_is_no_use(server):
    """Anybody can name a key; a call with a wrong signature does not use it."""
    key, claimed = "LTAI5tMadeUpClaimed0001", "LTAI5tMadeUpClaimed0002"
    proven = used(1, key, serviceName="Claims", eventName="Proven", eventTime=iso(now() - datetime.timedelta(hours=1)))
    other_system = event(4, serviceName="Claims", eventName="OtherSystem", userIdentity={"accessKeyId": claimed},
                         eventTime=iso(now() - datetime.timedelta(hours=1)))
    server.record([proven, other_system] + [
        event(n, serviceName="Claims", eventName="Claim", userIdentity={"type": "anonymous", "accessKeyId": k}, errorCode="SignatureDoesNotMatch")
        for n, k in ((2, key), (3, claimed))])
    info = server.call("GetAccessKeyLastUsedInfo", {"AccessKey": key})
    assert (info["AccountType"], json.loads(info["Detail"])) == ("ram-user", proven)
    names = lambda k: [e["EventName"] for e in server.call(  # noqa: E731
        "GetAccessKeyLastUsedEvents", {"AccessKey": k, "ServiceName": "Claims"})["Events"]]
    assert names(key) == ["Proven"] and names(claimed) == ["OtherSystem"]
    info = server.call("GetAccessKeyLastUsedInfo", {"AccessKey": claimed})
    assert json.loads(info["Detail"]) == other_system and "AccountType" not in info
    assert server.rpc("DescribeTrails", key="LTAI5tMadeUpClaimed0003").status == 404
    server.lookup()
    assert "Detail" not in server.call("GetAccessKeyLastUsedInfo", {"AccessKey": "LTAI5tMadeUpClaimed0003"})


def test_types_of_resources_and_data_events(server):
    key = "LTAI5tMadeUpTypes00001"
    flat = dict(referencedResources=None, serviceName="Typed")
    server.record([
        used(1, key, **flat, resourceType="ACS::ECS::Disk;ACS::ECS::Instance", resourceName="d-1;i-2"),
        used(2, key, **flat, resourceType="ACS::ECS::Instance", resourceName="i-3;i-4"),
        used(3, key, **flat, resourceType=None, resourceName="untyped"),
        used(4, key, serviceName="Typed", resourceType=None, resourceName=None, eventCategory="Data",
             referencedResources={"ACS::OSS::Bucket": ["b"], "ACS::OSS::Object": ["b/o"]})])
    got = entries(sdk(server), "resources", REQUESTS["resources"], key=key, service="Typed")
    assert {(e["ResourceName"], e["ResourceType"], e["Source"]) for e in got} == {
        ("d-1", "ACS::ECS::Disk", "ManagementEvent"), ("i-2", "ACS::ECS::Instance", "ManagementEvent"),
        ("i-3", "ACS::ECS::Instance", "ManagementEvent"), ("i-4", "ACS::ECS::Instance", "ManagementEvent"),
        ("untyped", "", "ManagementEvent"), ("b", "ACS::OSS::Bucket", "DataEvent"), ("b/o", "ACS::OSS::Object", "DataEvent")}


def test_pages_while_the_key_is_used(server):
    """A name that is used between two pages moves to the front; those behind it are still seen."""
    key = "LTAI5tMadeUpBusy000001"
    server.record([used(i, key, serviceName="Busy", eventName=f"Busy{i}", eventTime=iso(now() - datetime.timedelta(seconds=100 - i)))
                   for i in range(40)])
    seen, token = [], None
    while True:
        body = server.call("GetAccessKeyLastUsedEvents", {"AccessKey": key, "ServiceName": "Busy", "PageSize": 9, "NextToken": token})
        seen += [e["EventName"] for e in body["Events"]]
        token = body.get("NextToken")
        if not token:
            break
        # In time to come, as events of now are for a page that was made a second ago.
        server.record([used(i, key, serviceName="Busy", eventName=f"Busy{i}", eventTime=iso(now() + datetime.timedelta(seconds=60)))
                       for i in range(0, 40, 7)])
    assert sorted(seen) == sorted(f"Busy{i}" for i in range(40))


@pytest.mark.parametrize("action", ["Events", "Ips", "Resources"])
def test_refusals(server, uses, action):
    ask = lambda **changes: server.rpc("GetAccessKeyLastUsed" + action, {  # noqa: E731
        "AccessKey": AUDITED, "ServiceName": "Ecs", "PageSize": 1, **changes})
    token = ask().json["NextToken"]
    assert ask(NextToken=token).status == 200
    for changes, code in (
        (dict(AccessKey=""), "MissingAccessKey"), (dict(ServiceName=None), "MissingServiceName"),
        (dict(PageSize=101), "InvalidQueryParameter"), (dict(PageSize="many"), "InvalidQueryParameter"),
        (dict(NextToken="garbage"), "InvalidQueryParameter"), (dict(NextToken="e30="), "InvalidQueryParameter"),
        (dict(NextToken=token, ServiceName="Oss"), "InvalidQueryParameter"),
        (dict(NextToken=token, AccessKey=KEY), "InvalidQueryParameter"),
    ):
        answer = ask(**changes)
        assert (answer.status, answer.code) == (400, code), (changes, answer)
    other = "Ips" if action == "Events" else "Events"
    answer = server.rpc("GetAccessKeyLastUsed" + other, {"AccessKey": AUDITED, "ServiceName": "Ecs", "NextToken": token})
    assert answer.code == "InvalidQueryParameter"
    assert refusal(sdk(server), "get_access_key_last_used_info", m.GetAccessKeyLastUsedInfoRequest()) == (400, "MissingAccessKey")


def test_who_may_ask(server, uses):
    reader = granted(server, "audit-reader", rule("actiontrail:GetAccessKeyLastUsed*"))
    other = granted(server, "audit-other", rule("actiontrail:LookupEvents"))
    for action in ("Info", "Products", "Events", "Ips", "Resources"):
        ask = {"AccessKey": AUDITED, "ServiceName": "Ecs"}
        assert server.rpc("GetAccessKeyLastUsed" + action, ask, key=reader[0], secret=reader[1]).status == 200
        answer = server.rpc("GetAccessKeyLastUsed" + action, ask, key=other[0], secret=other[1])
        assert (answer.status, answer.code) == (403, "NoPermission"), answer
        assert answer.json["AccessDeniedDetail"]["AuthAction"] == "actiontrail:GetAccessKeyLastUsed" + action


def test_another_account_sees_none_of_it(server, make_server, uses):
    first = make_server()
    first.record([used(1)])
    assert first.stop() == 0
    second = make_server(folder=first.folder, key="LTAI5tMadeUpKeyOfOther01", secret="AnotherMadeUpSecret000001",
                         account="2000000000000002")
    assert "Detail" not in second.call("GetAccessKeyLastUsedInfo", {"AccessKey": AUDITED})
    assert second.call("GetAccessKeyLastUsedEvents", {"AccessKey": AUDITED, "ServiceName": "Ecs"})["Events"] == []
