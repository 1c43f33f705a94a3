# Lookups by words and counts of events: against plain loops, over pages and restarts, refusals, permissions, and the commands.
# SPDX-License-Identifier: Apache-2.0
import collections
import datetime
import json
import random

import pytest

from support import KEY, SECRET, event, iso, now
from test_access_review import granted, rule
from test_sdk_lookup import lookup
from test_sdk_trails import sdk
from test_self_audit import by_request

SERVICE = "Worded"


def worded(number, note, **changes):
    """An event whose parameters stand in it as an object and as a text."""
    parameters = {"Note": note, "Path": f"C:\\Temp\\Report{number}", "Lines": "first\nsecond"}
    return event(number, **{**dict(
        eventId=f"worded-{number}", serviceName=SERVICE, requestParameters=parameters,
        requestParameterJson=json.dumps(parameters, ensure_ascii=False, separators=(",", ":"))), **changes})


def found(server, text, *more, service=SERVICE, **options):
    """Lookups are events themselves, and have the words they look for: those are left out."""
    return set(server.ids([("Text", text), ("ServiceName", service), *more], **options))


@pytest.fixture(scope="module")
def texts(module_server):
    module_server.record([
        worded(1, "The quarterly Report, by mail", sourceIpAddress="203.0.113.77"),
        worded(2, "quarterly figures 中文 café", userAgent="Browser/5.0 (made up)"),
        worded(3, "nothing of that", errorCode="Throttling", userIdentity={"type": "ram-user", "userName": "CORP\\alice"}),
        worded(4, "plain", eventId="0A1B2C3D-4E5F-4607-8899-AABBCCDDEEFF",
               additionalEventData={"eventId": "99999999-4E5F-4607-8899-AABBCCDDEEFF"}),
    ])


@pytest.mark.parametrize("text, ids", [
    ("quarterly", {"worded-1", "worded-2"}), ("QUARTERLY report", {"worded-1"}), ("report,mail", {"worded-1"}),
    ("mail figures", set()), ("quarter", set()), ("203.0.113.77", {"worded-1"}), ("203.0.113", set()),
    ("中文", {"worded-2"}), ("café", {"worded-2"}), ("CAFÉ", set()), ("browser", {"worded-2"}), ("5.0 (made", {"worded-2"}),
    ("throttling", {"worded-3"}), ("CORP\\alice", {"worded-3"}), ("corp\\\\alice", {"worded-3"}), ("alice", {"worded-3"}),
    ("C:\\Temp\\Report2", {"worded-2"}), ("second temp report1", {"worded-1"}), ("nsecond report1", {"worded-1"}),
    ("0a1b2c3d-4e5f-4607-8899-aabbccddeeff", {"0A1B2C3D-4E5F-4607-8899-AABBCCDDEEFF"}),
    ("0A1B2C3D-4E5F-4607-8899-AABBCCDDEEFF plain", {"0A1B2C3D-4E5F-4607-8899-AABBCCDDEEFF"}),
    ("99999999-4e5f-4607-8899-aabbccddeeff", {"0A1B2C3D-4E5F-4607-8899-AABBCCDDEEFF"}),
    ("requestParameters quarterly", {"worded-1", "worded-2"}),
])
def test_words_anywhere_in_an_event(server, texts, text, ids):
    for signature in ("v3", "v1"):
        assert found(server, text, signature=signature) == ids
    assert found(server, text, direction="FORWARD", page=1) == ids
    body = lookup(sdk(server), [("Text", text), ("ServiceName", SERVICE)], max_results="50")
    assert {e["eventId"] for e in body.events} == ids


def test_words_and_attributes_are_joined(server, texts):
    assert found(server, "quarterly", ("SourceIpAddress", "203.0.113.77")) == {"worded-1"}
    assert found(server, "quarterly", ("ErrorCode", "Throttling")) == set()
    assert found(server, "report3", ("ErrorCode", "Throttling"), ("User", "CORP\\alice")) == {"worded-3"}
    assert server.ids([("ErrorCode", "Throttling"), ("ServiceName", SERVICE)]) == ["worded-3"]
    # Of a repeated key the last one counts.
    assert found(server, "nowhere", ("Text", "quarterly report")) == {"worded-1"}


@pytest.mark.parametrize("text", ["", " ", " ,\"\\", "a" * 1025, "é" * 513])
def test_texts_that_are_refused(server, text):
    for signature in ("v3", "v1"):
        answer = server.rpc("LookupEvents", {"LookupAttribute": [("Text", text)]}, signature=signature)
        assert (answer.status, answer.code) == (400, "InvalidQueryParameter"), answer
    assert server.rpc("LookupEvents", {"LookupAttribute": [("Text", "a" * 1024)]}).status == 200


def test_a_page_goes_on_with_its_own_words_only(server, texts):
    ask = lambda text, token=None: server.rpc("LookupEvents", {  # noqa: E731
        "MaxResults": 1, "NextToken": token, "LookupAttribute": [("ServiceName", SERVICE), ("Text", text)]})
    first = ask("quarterly").json
    second = ask("quarterly", first["NextToken"]).json
    assert {e["eventId"] for e in first["Events"] + second["Events"]} == {"worded-1", "worded-2"}
    assert ask("report", first["NextToken"]).code == "InvalidQueryParameter"


# Against plain loops


FIELDS = {
    "User": lambda e: [e["userIdentity"]["userName"]], "EventName": lambda e: [e["eventName"]], "EventRW": lambda e: [e["eventRW"]],
    "ErrorCode": lambda e: [e["errorCode"]] if "errorCode" in e else [], "SourceIpAddress": lambda e: [e["sourceIpAddress"]],
    "ResourceName": lambda e: sorted(set(e["referencedResources"]["ACS::ECS::Instance"])),
    "ResourceType": lambda e: ["ACS::ECS::Instance"], "RoleName": lambda e: [], "EventId": lambda e: [e["eventId"]],
}


def many(count, service, seed):
    choose = random.Random(seed)
    return [worded(
        i, " ".join(f"w{choose.randrange(400)}" for _ in range(choose.randrange(6))), eventId=f"{service}-{i}", serviceName=service,
        eventName=choose.choice(["RunInstances", "StopInstance", "Describe"]), eventRW=choose.choice(["Read", "Write"]),
        errorCode=choose.choice([None, None, "NoPermission", "Throttling"]), sourceIpAddress=f"203.0.113.{choose.randrange(4)}",
        resourceType=None, resourceName=None,
        referencedResources={"ACS::ECS::Instance": [f"i-{choose.randrange(9)}" for _ in range(choose.randrange(1, 4))]},
        eventTime=iso(now() - datetime.timedelta(seconds=choose.randrange(60, 4000))),
        userIdentity={"type": "ram-user", "userName": choose.choice(["ann", "bo", "cy", "Dé \"quoted\""])}) for i in range(count)]


def agree(server, events, service, seed, rounds):
    choose = random.Random(seed)
    for _ in range(rounds):
        pattern = choose.choice(events)
        # As many lookups by words that are in some event as counts.
        words = [w for w in pattern["requestParameters"]["Note"].split() if choose.random() < 0.6] or [f"w{choose.randrange(400)}"]
        expected = {e["eventId"] for e in events if set(words) <= set(e["requestParameters"]["Note"].split())}
        assert found(server, " ".join(words).upper(), service=service, page=choose.randrange(1, 51)) == expected, words

        by = choose.sample([f for f in FIELDS if not f.startswith("Resource")], choose.randrange(1, 3))
        if choose.random() < 0.4:
            by = [choose.choice(["ResourceName", "ResourceType"])] + by[1:]
        key = choose.choice(["User", "EventRW", "ResourceName"])
        first, last = sorted(choose.sample(range(4200), 2))
        start, end = iso(now() - datetime.timedelta(seconds=last + 1)), iso(now() - datetime.timedelta(seconds=first))
        value = choose.choice(FIELDS[key](pattern))
        counts = collections.Counter(
            values for e in events if start <= e["eventTime"] <= end and value in FIELDS[key](e)
            for values in ([(a,) for a in FIELDS[by[0]](e)] if len(by) == 1 else
                           [(a, b) for a in FIELDS[by[0]](e) for b in FIELDS[by[1]](e)]))
        parameters = {
            **{f"GroupBy.{i}": name for i, name in enumerate(by, 1)}, "StartTime": start, "EndTime": end, "MaxResults": 1000,
            "LookupAttribute": [("ServiceName", service), (key, value)]}
        body = server.call("CountEvents", parameters, signature=choose.choice(["v3", "v1"]))
        assert (body["StartTime"], body["EndTime"], body["GroupCount"]) == (start, end, len(counts)), (parameters, body)
        got = {tuple(g[name] for name in by): g["Count"] for g in body["Groups"]}
        assert len(got) == len(body["Groups"]) and all(counts[values] == count for values, count in got.items()), parameters
        assert [g["Count"] for g in body["Groups"]] == sorted(counts.values(), reverse=True)[:1000], parameters
        few = server.call("CountEvents", {**parameters, "MaxResults": 2})
        assert few["Groups"] == body["Groups"][:2] and few["GroupCount"] == len(counts)


def test_words_and_counts_agree_with_plain_loops(server):
    events = many(600, "Agreeing", 1)
    server.record(events)
    agree(server, events, "Agreeing", 2, 40)


def test_words_and_counts_after_restarts(make_server):
    """Enough for a segment and a dictionary; the first events were written without one."""
    server = make_server()
    events = many(9000, "Restarted", 3)
    for first in range(0, 9000, 500):
        server.record(events[first:first + 500])
    agree(server, events, "Restarted", 4, 12)
    assert server.stop() == 0
    server.start()
    agree(server, events, "Restarted", 5, 12)
    more = many(9300, "Restarted", 3)[9000:]
    server.record(more)
    server.kill()
    server.start()
    agree(server, events + more, "Restarted", 6, 12)


# Counting


@pytest.fixture(scope="module")
def counted(module_server):
    who = lambda name: {"type": "ram-user", "userName": name}  # noqa: E731
    module_server.record(
        [event(i, serviceName="Counted", userIdentity=who("mina"), errorCode="NoPermission") for i in range(5)]
        + [event(i, serviceName="Counted", userIdentity=who("mina")) for i in range(4)]
        + [event(i, serviceName="Counted", userIdentity=who("olga"), errorCode="Throttling") for i in range(3)]
        + [event(i, serviceName="Counted", userIdentity=who("evil\u001b[31m\n99 root"), errorCode="NoPermission") for i in range(2)]
        + [event(i, serviceName="Counted", userIdentity={"type": "ram-user"}) for i in range(6)])


OURS = {"LookupAttribute": [("ServiceName", "Counted")]}


@pytest.mark.parametrize("signature, form", [("v3", False), ("v3", True), ("v1", False), ("v1", True)])
def test_a_count(server, counted, signature, form):
    body = server.call("CountEvents", {**OURS, "GroupBy.1": "User", "GroupBy.2": "ErrorCode"}, signature=signature, form=form)
    assert body["Groups"] == [
        {"Count": 5, "User": "mina", "ErrorCode": "NoPermission"}, {"Count": 3, "User": "olga", "ErrorCode": "Throttling"},
        {"Count": 2, "User": "evil\u001b[31m\n99 root", "ErrorCode": "NoPermission"}]
    assert body["GroupCount"] == 3 and body["StartTime"] < body["EndTime"]
    body = server.call("CountEvents", {**OURS, "GroupBy.1": "User"}, signature=signature, form=form)
    assert [(g["User"], g["Count"]) for g in body["Groups"]][:2] == [("mina", 9), ("olga", 3)]
    assert server.call("CountEvents", {**OURS, "GroupBy.1": "RoleName"})["Groups"] == []
    for wrong in (dict(secret=SECRET + "x"), dict(key="LTAI5tNobodyHasThisKey")):
        answer = server.rpc("CountEvents", {"GroupBy.1": "User"}, signature=signature, form=form, **wrong)
        assert answer.status >= 400 and answer.code in ("SignatureDoesNotMatch", "InvalidAccessKeyId.NotFound"), answer


def test_most_groups(server):
    server.record([event(i, eventId=f"group-{i}", serviceName="Grouped") for i in range(1100)])
    ask = {"GroupBy.1": "EventId", "LookupAttribute": [("ServiceName", "Grouped")]}
    assert len(server.call("CountEvents", ask)["Groups"]) == 100
    body = server.call("CountEvents", {**ask, "MaxResults": 1000})
    assert len({g["EventId"] for g in body["Groups"]}) == 1000 and body["GroupCount"] == 1100


@pytest.mark.parametrize("parameters, code", [
    ({}, "InvalidQueryParameter"),
    ({"GroupBy.1": ""}, "InvalidQueryParameter"),
    ({"GroupBy.1": "Nonsense"}, "InvalidQueryParameter"),
    ({"GroupBy.1": "eventName"}, "InvalidQueryParameter"),
    ({"GroupBy.1": "Text"}, "InvalidQueryParameter"),
    ({"GroupBy.2": "User"}, "InvalidQueryParameter"),
    ({"GroupBy.1": "User", "GroupBy.2": "Nonsense"}, "InvalidQueryParameter"),
    ({"GroupBy.1": "User", "GroupBy.2": "User"}, "InvalidQueryParameter"),
    ({"GroupBy.1": "User", "GroupBy.2": "ResourceName"}, "InvalidQueryParameter"),
    ({"GroupBy.1": "User", "GroupBy.2": "ResourceType"}, "InvalidQueryParameter"),
    ({"GroupBy.1": "User", "LookupAttribute": [("Text", "word")]}, "InvalidQueryParameter"),
    ({"GroupBy.1": "User", "LookupAttribute": [("NoSuchKey", "x")]}, "InvalidQueryParameter"),
    ({"GroupBy.1": "User", "LookupAttribute": [("EventName", "")]}, "InvalidQueryParameter"),
    ({"GroupBy.1": "User", "LookupAttribute": [("EventRW", "Both")]}, "InvalidQueryParameter"),
    ({"GroupBy.1": "User", "MaxResults": "0"}, "InvalidQueryParameter"),
    ({"GroupBy.1": "User", "MaxResults": "1001"}, "InvalidQueryParameter"),
    ({"GroupBy.1": "User", "MaxResults": "many"}, "InvalidQueryParameter"),
    ({"GroupBy.1": "User", "StartTime": "2026-01-01T00:00:00Z"}, "InvalidParameterEndTime"),
    ({"GroupBy.1": "User", "EndTime": "2026-01-01T00:00:00Z"}, "InvalidParameterStartTime"),
    ({"GroupBy.1": "User", "StartTime": "never", "EndTime": "2026-01-01T00:00:00Z"}, "InvalidParameterStartTime"),
    ({"GroupBy.1": "User", "StartTime": "2026-01-02T00:00:00Z", "EndTime": "2026-01-01T00:00:00Z"}, "InvalidParameterCombination"),
])
def test_refused_counts(server, parameters, code):
    for signature in ("v3", "v1"):
        answer = server.rpc("CountEvents", parameters, signature=signature)
        assert (answer.status, answer.code) == (400, code), answer


def test_who_may_look_up_may_count(server, counted):
    reader = granted(server, "counts-reader", rule("actiontrail:LookupEvents"))
    other = granted(server, "counts-other", rule("actiontrail:CountEvents", "actiontrail:Describe*"))
    ask = {**OURS, "GroupBy.1": "User"}
    body = server.call("CountEvents", ask, key=reader[0], secret=reader[1])
    assert {"Count": 9, "User": "mina"} in body["Groups"]
    answer = server.rpc("CountEvents", ask, key=other[0], secret=other[1])
    assert (answer.status, answer.code) == (403, "NoPermission"), answer
    assert answer.json["AccessDeniedDetail"]["AuthAction"] == "actiontrail:LookupEvents"
    for who, status in ((reader, 200), (other, 403)):
        text = {"LookupAttribute": [("Text", "mina")]}
        assert server.rpc("LookupEvents", text, key=who[0], secret=who[1]).status == status


# The commands


def test_lookup_by_text_with_the_command(server, texts):
    ours = ("-a", f"ServiceName={SERVICE}")
    done = server.cairn("lookup", "--text", "QUARTERLY report", *ours, "--output", "json", check=0)
    assert [json.loads(line)["eventId"] for line in done.stdout.splitlines()] == ["worded-1"]
    assert b"worded-2" in server.cairn("lookup", "--text", "quarterly", *ours, check=0).stdout
    assert b"worded-3" in server.cairn("lookup", "--text", "CORP\\alice", *ours, "-a", "ErrorCode=Throttling", check=0).stdout
    assert b"no events" in server.cairn("lookup", "--text", "quarterly nowhere", *ours, check=0).stdout
    server.cairn("lookup", "--text", "quarterly nowhere", *ours, "--assert", check=1)
    server.cairn("lookup", "--text", " , ", check=2)
    server.cairn("lookup", "-a", "Text=word", check=2)


def test_counting_with_the_command(server, counted):
    ours = ("-a", "ServiceName=Counted", "--start", "1d")
    lines = server.cairn("count", "--by", "User", "--by", "ErrorCode", *ours, check=0).stdout.decode().splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["COUNT", "USER", "ERRORCODE"], ["5", "mina", "NoPermission"], ["3", "olga", "Throttling"]]
    assert len(lines) == 4 and "\u001b" not in lines[3], "a name moves no cursor and makes no line"
    done = server.cairn("count", "--by", "ErrorCode", *ours, "--output", "json", check=0)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"Count": 7, "ErrorCode": "NoPermission"}, {"Count": 3, "ErrorCode": "Throttling"}]
    lines = server.cairn("count", "--by", "User", *ours, "--limit", "1", check=0).stdout.decode().splitlines()
    assert lines[1].split() == ["9", "mina"] and lines[2].startswith("... 2 more")
    assert b"no events" in server.cairn("count", "--by", "RoleName", *ours, check=0).stdout
    for arguments in (
        (), ("--by", "Nonsense"), ("--by", "User", "--by", "EventName", "--by", "ErrorCode"), ("--by", "User", "--by", "User"),
        ("--by", "User", "--by", "ResourceName"), ("--by", "User", "--limit", "0"), ("--by", "User", "--limit", "1001"),
        ("--by", "User", "-a", "Text=word"), ("--by", "User", "--text", "word"), ("--by", "User", "--start", "whenever"),
    ):
        server.cairn("count", *arguments, check=2)
    assert server.cairn("count", "--by", "User", env={"CAIRN_ACCESS_KEY_SECRET": "wrong"}).returncode == 3
    who = granted(server, "counts-by-command", rule("actiontrail:DescribeTrails"))
    done = server.cairn("count", "--by", "User", env={"CAIRN_ACCESS_KEY_ID": who[0], "CAIRN_ACCESS_KEY_SECRET": who[1]}, check=3)
    assert b"actiontrail:LookupEvents" in done.stderr


def test_a_count_is_an_event_too(server, counted):
    answer = server.rpc("CountEvents", {**OURS, "GroupBy.1": "User"})
    request = answer.json["RequestId"]
    e = by_request(server, request, "CountEvents")
    assert e["eventRW"] == "Read" and e["userIdentity"]["accessKeyId"] == KEY
    assert e["requestParameters"]["GroupBy.1"] == "User"
