# LookupEvents: every attribute, AND, ranges, paging while events arrive, special characters, accounts kept apart.
# SPDX-License-Identifier: Apache-2.0
import datetime
import json
import random
import threading

import pytest
from alibabacloud_actiontrail20200706 import models as m

from objects import refused
from support import ACCOUNT, KEY, REGION, ago, ahead, compact, delivered, event, iso, now
from test_sdk_trails import call, refusal, sdk

WEIRD = "a b+c*d~e/f=g&h%i:j'(k)!\"\\<>?#[]@$,;|`^{}\t中文é😀"


def lookup(client, attributes=(), **options):
    request = m.LookupEventsRequest(
        lookup_attribute=[m.LookupEventsRequestLookupAttribute(key=k, value=v) for k, v in attributes], **options)
    return call(client, "lookup_events", request)


@pytest.fixture(scope="module")
def people(module_server):
    """Two events that differ in every field that can be looked up."""
    role = event(
        1, eventId="person-role", eventName="DescribeVaults", eventRW="Read", serviceName="MadeVault", eventType="ConsoleOperation",
        sourceIpAddress="198.51.100.7", resourceType="ACS::Vault::Box;ACS::Vault::Lid", resourceName="box-1,box-2;lid-1",
        referencedResources={"ACS::Vault::Box": ["box-1", "box-2"], "ACS::Vault::Lid": ["lid-1"]},
        userIdentity={"type": "assumed-role", "principalId": "300000000000000001:session-a", "accountId": ACCOUNT,
                      "accessKeyId": "STS.MadeUpSession", "userName": "vault-reader:session-a"})
    user = event(
        2, eventId="person-user", eventName="DeleteTrail", serviceName="Actiontrail",
        resourceType="ACS::ActionTrail::Trail", resourceName="made-up-trail",
        referencedResources={"ACS::ActionTrail::Trail": ["made-up-trail"]},
        userIdentity={"type": "ram-user", "principalId": "200000000000000077", "accountId": ACCOUNT,
                      "accessKeyId": "LTAI5tMadeUpKeyOfOlga", "userName": "olga"})
    module_server.record([role, user])
    return role, user


@pytest.mark.parametrize("signature", ["v3", "v1"])
@pytest.mark.parametrize("key, value, found", [
    ("EventId", "person-role", "person-role"),
    ("EventName", "DescribeVaults", "person-role"),
    ("ServiceName", "MadeVault", "person-role"),
    ("User", "vault-reader:session-a", "person-role"),
    ("User", "olga", "person-user"),
    ("RoleName", "vault-reader", "person-role"),
    ("PrincipalId", "300000000000000001:session-a", "person-role"),
    ("PrincipalId", "200000000000000077", "person-user"),
    ("EventAccessKeyId", "STS.MadeUpSession", "person-role"),
    ("EventAccessKeyId", "LTAI5tMadeUpKeyOfOlga", "person-user"),
    ("ResourceType", "ACS::Vault::Box", "person-role"),
    ("ResourceType", "ACS::Vault::Lid", "person-role"),
    ("ResourceName", "box-1", "person-role"),
    ("ResourceName", "box-2", "person-role"),
    ("ResourceName", "lid-1", "person-role"),
    ("ResourceName", "made-up-trail", "person-user"),
    ("EventType", "ConsoleOperation", "person-role"),
    ("SourceIpAddress", "198.51.100.7", "person-role"),
])
def test_every_attribute(server, people, signature, key, value, found):
    body = lookup(sdk(server, signature), [(key, value)], max_results="50")
    assert [e["eventId"] for e in body.events] == [found]
    assert body.events[0] == {e["eventId"]: e for e in people}[found], "the event comes back as it was put"
    # Exact and with regard to case.
    for other in (value[:-1], value + "x", value.swapcase()):
        if other != value:
            assert found not in [e["eventId"] for e in lookup(sdk(server, signature), [(key, other)]).events]


def test_event_rw_and_sensitive_action(server, people):
    client = sdk(server)
    mine = lambda *attributes: {e["eventId"] for e in lookup(client, [*attributes], max_results="50").events}  # noqa: E731
    assert mine(("EventRW", "Read"), ("ServiceName", "MadeVault")) == {"person-role"}
    assert mine(("EventRW", "Write"), ("ServiceName", "MadeVault")) == set()
    assert mine(("SensitiveAction", "true"), ("User", "olga")) == {"person-user"}
    assert mine(("SensitiveAction", "true"), ("ServiceName", "MadeVault")) == set()


def test_many_attributes_are_joined_by_and(server, people):
    client = sdk(server)
    every = [("EventName", "DescribeVaults"), ("ServiceName", "MadeVault"), ("EventRW", "Read"), ("ResourceName", "lid-1"),
             ("ResourceType", "ACS::Vault::Box"), ("SourceIpAddress", "198.51.100.7"), ("RoleName", "vault-reader")]
    assert [e["eventId"] for e in lookup(client, every).events] == ["person-role"]
    for index in range(len(every)):
        wrong = list(every)
        wrong[index] = (wrong[index][0], "Write" if wrong[index][0] == "EventRW" else "not-that")
        assert lookup(client, wrong).events == [], wrong[index]


def test_random_conditions_agree_with_a_plain_filter(server):
    """Against the simplest thing that could be right."""
    choose = random.Random(20200706)
    names, users, services = ["Alpha", "Beta", "Gamma"], ["ann", "bo", "cy"], ["One", "Two"]
    events = [event(
        i, eventId=f"random-{i}", eventName=choose.choice(names), serviceName="Random" + choose.choice(services),
        eventRW=choose.choice(["Read", "Write"]), sourceIpAddress=f"203.0.113.{choose.randrange(4)}",
        eventTime=iso(now() - datetime.timedelta(seconds=choose.randrange(10, 4000))),
        userIdentity={"type": "ram-user", "userName": choose.choice(users)}) for i in range(600)]
    server.record(events)
    fields = {
        "EventName": lambda e: e["eventName"], "ServiceName": lambda e: e["serviceName"], "EventRW": lambda e: e["eventRW"],
        "SourceIpAddress": lambda e: e["sourceIpAddress"], "User": lambda e: e["userIdentity"]["userName"]}
    for _ in range(40):
        pattern = choose.choice(events)
        service = ("ServiceName", pattern["serviceName"])
        attributes = [service] + [(k, fields[k](pattern)) for k in choose.sample(sorted(set(fields) - {"ServiceName"}), choose.randrange(4))]
        first, last = sorted(choose.sample(range(4200), 2))
        start, end = ago(seconds=last + 1), ago(seconds=first)
        direction = choose.choice(["FORWARD", "BACKWARD"])
        expected = [e for e in events if start <= e["eventTime"] <= end and all(fields[k](e) == v for k, v in attributes)]
        expected.sort(key=lambda e: (e["eventTime"], int(e["eventId"][7:])), reverse=direction == "BACKWARD")
        got = server.ids(attributes, start=start, end=end, direction=direction, page=choose.randrange(1, 51))
        assert got == [e["eventId"] for e in expected], (attributes, start, end, direction)


@pytest.mark.parametrize("signature", ["v3", "v1"])
def test_special_characters(server, signature):
    one = event(eventId=f"weird-{signature}", resourceName=WEIRD.replace(",", "").replace(";", "") + signature,
                referencedResources=None, userIdentity={"userName": WEIRD + signature}, eventName="名前 with spaces" + signature)
    server.record([one])
    client = sdk(server, signature)
    for key, value in (("User", one["userIdentity"]["userName"]), ("EventName", one["eventName"]), ("ResourceName", one["resourceName"])):
        assert lookup(client, [(key, value)]).events == [one], key


@pytest.mark.parametrize("direction", ["FORWARD", "BACKWARD"])
def test_paging_is_stable_while_events_arrive(server, direction):
    """Every event that was there before the walk is seen once, whatever is put meanwhile, old and new."""
    service = "Paging" + direction
    base = now() - datetime.timedelta(hours=2)
    # Many share a second, so that the order within one counts.
    before = [event(i, eventId=f"{service}-{i}", serviceName=service, eventTime=iso(base + datetime.timedelta(seconds=i // 7)))
              for i in range(400)]
    server.record(before)
    stopping, lock = threading.Event(), threading.Lock()
    arrived = []

    def put_some(number, who):
        batch = [event(number, eventId=f"{service}-late-{who}-{number}-{k}", serviceName=service,
                       eventTime=iso(base + datetime.timedelta(seconds=(number * 13 + k * 29) % 90 - 15))) for k in range(5)]
        server.record(batch)
        with lock:
            arrived.extend(e["eventId"] for e in batch)

    def keep_putting():
        number = 0
        while not stopping.is_set():
            number += 1
            put_some(number, "beside")

    thread = threading.Thread(target=keep_putting)
    thread.start()
    try:
        walked = server.lookup([("ServiceName", service)], start=iso(base - datetime.timedelta(hours=1)), direction=direction, page=9,
                               between=lambda page: put_some(page, "between") if page <= 60 else stopping.set())
    finally:
        stopping.set()
        thread.join()
    ids = [e["eventId"] for e in walked]
    assert len(ids) == len(set(ids)), "an event came twice"
    assert {e["eventId"] for e in before} <= set(ids), "an event was missed"
    times = [e["eventTime"] for e in walked]
    assert times == sorted(times, reverse=direction == "BACKWARD")
    assert len(arrived) > 100, "too little arrived during the walk: the test tested nothing"
    after = server.ids([("ServiceName", service)], start=iso(base - datetime.timedelta(hours=1)))
    assert sorted(after) == sorted([e["eventId"] for e in before] + arrived)


def test_tokens(server):
    client = sdk(server)
    server.record([event(i, serviceName="Tokens") for i in range(6)])
    start, end = ago(hours=1), ahead(hours=1)
    first = lookup(client, [("ServiceName", "Tokens")], max_results="2", start_time=start, end_time=end)
    token = first.next_token
    assert token and (first.start_time, first.end_time) == (start, end)
    ask = lambda **change: m.LookupEventsRequest(**{**dict(  # noqa: E731
        start_time=start, end_time=end, max_results="2", next_token=token,
        lookup_attribute=[m.LookupEventsRequestLookupAttribute(key="ServiceName", value="Tokens")]), **change})
    second = call(client, "lookup_events", ask())
    assert not {e["eventId"] for e in first.events} & {e["eventId"] for e in second.events}
    for change in (
        dict(next_token="garbage"), dict(next_token=token[:-3]), dict(next_token="AAAA"), dict(next_token="e30="),
        dict(direction="FORWARD"), dict(end_time=ahead(hours=2)),
        dict(lookup_attribute=[m.LookupEventsRequestLookupAttribute(key="ServiceName", value="Other")]),
    ):
        assert refusal(client, "lookup_events", ask(**change)) == (400, "InvalidQueryParameter"), change
    # Without a range the pages go on with the range of the first one.
    page = lookup(client, [("ServiceName", "Tokens")], max_results="4")
    rest = lookup(client, [("ServiceName", "Tokens")], max_results="4", next_token=page.next_token)
    assert len(page.events) == 4 and len(rest.events) == 2 and not rest.next_token


@pytest.mark.parametrize("request_of, expected", [
    (dict(start_time="2026-01-01T00:00:00Z"), "InvalidParameterEndTime"),
    (dict(end_time="2026-01-01T00:00:00Z"), "InvalidParameterStartTime"),
    (dict(start_time="2026-01-02T00:00:00Z", end_time="2026-01-01T00:00:00Z"), "InvalidParameterCombination"),
    (dict(start_time="2026-01-01T00:00:00Z", end_time="2026-01-01T00:00:00Z"), "InvalidParameterCombination"),
    (dict(start_time="yesterday", end_time="2026-01-01T00:00:00Z"), "InvalidParameterStartTime"),
    (dict(start_time="2026-01-01 00:00:00", end_time="2026-01-02T00:00:00Z"), "InvalidParameterStartTime"),
    (dict(start_time="2026-13-01T00:00:00Z", end_time="2026-01-02T00:00:00Z"), "InvalidParameterStartTime"),
    (dict(start_time="2026-01-01T00:00:00Z", end_time="2026-02-30T00:00:00Z"), "InvalidParameterEndTime"),
    (dict(start_time="2026-01-01T00:00:00Z", end_time="2026-01-01T25:00:00Z"), "InvalidParameterEndTime"),
    (dict(max_results="51"), "InvalidQueryParameter"),
    (dict(max_results="-1"), "InvalidQueryParameter"),
    (dict(max_results="many"), "InvalidQueryParameter"),
    (dict(direction="SIDEWAYS"), "InvalidQueryParameter"),
    (dict(lookup_attribute=[m.LookupEventsRequestLookupAttribute(key="NoSuchKey", value="x")]), "InvalidQueryParameter"),
    (dict(lookup_attribute=[m.LookupEventsRequestLookupAttribute(value="x")]), "InvalidQueryParameter"),
    (dict(lookup_attribute=[m.LookupEventsRequestLookupAttribute(key="User")]), "InvalidQueryParameter"),
])
def test_refused_lookups(server, request_of, expected):
    for signature in ("v3", "v1"):
        assert refusal(sdk(server, signature), "lookup_events", m.LookupEventsRequest(**request_of)) == (400, expected)


def test_ranges_include_their_ends_and_defaults_hold(server):
    client = sdk(server)
    moments = [now() - datetime.timedelta(minutes=m) for m in (30, 20, 10)]
    server.record([event(i, eventId=f"range-{i}", serviceName="Ranges", eventTime=iso(t)) for i, t in enumerate(moments)])
    got = lambda start, end: [e["eventId"] for e in lookup(  # noqa: E731
        client, [("ServiceName", "Ranges")], start_time=start, end_time=end, direction="FORWARD").events]
    assert got(iso(moments[0]), iso(moments[2])) == ["range-0", "range-1", "range-2"]
    second = datetime.timedelta(seconds=1)
    assert got(iso(moments[0] + second), iso(moments[2] - second)) == ["range-1"]
    # The last 7 days, newest first, 20 of them.
    server.record([event(i, eventId=f"default-{i}", serviceName="Defaults", eventTime=ago(minutes=1 + i)) for i in range(30)]
                  + [event(99, eventId="default-old", serviceName="Defaults", eventTime=ago(days=8))])
    body = lookup(client, [("ServiceName", "Defaults")])
    assert [e["eventId"] for e in body.events] == [f"default-{i}" for i in range(20)] and body.next_token
    assert "default-old" not in server.ids([("ServiceName", "Defaults")], start=body.start_time, end=body.end_time)
    # Imported old events can be looked up, over any range that is held.
    server.record([event(7, eventId="of-2016", serviceName="Ranges", eventTime="2016-02-29T23:59:59Z")])
    assert got("2016-02-29T23:59:59Z", "2016-03-01T00:00:00Z") == ["of-2016"]


def test_an_acknowledged_event_is_seen_at_once(server):
    for number in range(30):
        server.record([event(number, eventId=f"at-once-{number}")])
        assert server.ids([("EventId", f"at-once-{number}")]) == [f"at-once-{number}"]


def test_accounts_are_kept_apart(make_server):
    """One installation, two accounts, each with a root key: neither sees the other's events, trails or buckets."""
    first = make_server()
    first.record([event(1, eventId="of-the-first", serviceName="Secret")])
    first.trail("trail-of-first", "bucket-of-first")
    proofs = first.call("GetEventProof", {"EventId": "of-the-first"})
    first.put(b"{bad line of the first}\n")
    assert first.stop() == 0
    other = dict(key="LTAI5tMadeUpKeyOfOther01", secret="AnotherMadeUpSecret000001", account="2000000000000002")
    second = make_server(folder=first.folder, **other)
    assert second.ids([("EventId", "of-the-first")]) == [] and second.ids([("ServiceName", "Secret")]) == []
    second.record([event(1, eventId="of-the-first", serviceName="Own"), event(2, eventId="of-the-second")])
    assert [e["serviceName"] for e in second.lookup([("EventId", "of-the-first")])] == ["Own"], "ids are an account's own"
    assert second.call("DescribeTrails")["TrailList"] == []
    assert second.rpc("GetTrailStatus", {"Name": "trail-of-first"}).code == "TrailNotFoundException"
    assert second.call("ListQuarantinedRecords")["Records"] == []
    assert second.call("ListDeliveryHistoryJobs")["TotalCount"] == 0
    answer = second.rpc("CreateTrail", {"Name": "takes-others-bucket", "OssBucketName": "bucket-of-first"})
    assert (answer.status, answer.code) == (403, "InsufficientBucketPolicyException")
    import oss2
    with pytest.raises(oss2.exceptions.AccessDenied):
        next(iter(oss2.ObjectIteratorV2(second.bucket("bucket-of-first"))), None)
    refused(409, "BucketAlreadyExists", second.make_bucket, "bucket-of-first")
    # The first account's key still works on the same service, for its own things.
    theirs = first.__class__(first.folder)
    theirs.api, theirs.api_host, theirs.oss = second.api, second.api_host, second.oss
    assert theirs.ids([("EventId", "of-the-first")]) == ["of-the-first"]
    assert theirs.ids([("EventId", "of-the-second")]) == []
    assert [t["Name"] for t in theirs.call("DescribeTrails")["TrailList"]] == ["trail-of-first"]
    assert theirs.call("GetEventProof", {"EventId": "of-the-first"})["EventBytes"] == proofs["EventBytes"]
    assert second.rpc("GetEventProof", {"EventId": "of-the-second"}).status == 200
    assert theirs.rpc("GetEventProof", {"EventId": "of-the-second"}).code == "EventNotFound"
    # Calls are recorded for the account that made them.
    assert theirs.ids([("EventAccessKeyId", other["key"])]) == [] and second.ids([("EventAccessKeyId", KEY)]) == []
    assert second.ids([("EventAccessKeyId", other["key"]), ("EventName", "LookupEvents")])
    # The first account's trail goes on delivering, and only its own.
    theirs.record([event(3, eventId="of-the-first-again")])
    second.record([event(4, eventId="of-the-second-again")])
    theirs.settle("trail-of-first")
    ids = {json.loads(e)["eventId"] for e in delivered(theirs.bucket("bucket-of-first"))}
    assert "of-the-first-again" in ids and not ids & {"of-the-second", "of-the-second-again"}


def test_events_come_back_with_the_bytes_they_came_with(server):
    """Key order, number spelling and escapes are kept; only white space between tokens goes."""
    text = ('{ "zeta" : 1.50e+02, "eventName":"Bytes",\t"eventId":"kept-bytes","eventTime":"%s" , "a":"\\u00e9\\/é" ,"eventRW":"Write",'
            '"n":-0.0,"big":123456789012345678901234567890,"recipientAccountId":"%s","acsRegion":"%s","empty":{},"list":[ 1 , 2 ],'
            '"nul":null,"serviceName":"Ecs","emoji":"\\ud83d\\ude00 😀"}' % (iso(now()), ACCOUNT, REGION))
    answer = server.put(text.encode())
    assert answer.status == 200 and answer.json["Accepted"] == 1, answer
    raw = server.rpc("LookupEvents", {"LookupAttribute": [("EventId", "kept-bytes")]}).content
    expected = (text.replace('{ "zeta" : ', '{"zeta":').replace(",\t", ",").replace('" , "a"', '","a"').replace('é" ,', 'é",')
                .replace("[ 1 , 2 ]", "[1,2]").replace('150e+02, "', '150e+02,"').replace('1.50e+02, "', '1.50e+02,"'))
    assert expected.encode() in raw, raw
    json.loads(raw)
    plain = event(5, eventId="kept-plain")
    server.record([plain])
    assert compact(plain) in server.rpc("LookupEvents", {"LookupAttribute": [("EventId", "kept-plain")]}).content
