# Changes that weaken a trail: recorded, marked, counted; and changes whose service was killed before they were told.
# SPDX-License-Identifier: Apache-2.0
import re
import threading
import time

from support import wait_for


def counted(server, name):
    text = server.get("/metrics").content.decode()
    found = re.search(rf'^cairn_trail_weakened_total{{event="{name}"}} (\d+)$', text, re.M)
    return int(found.group(1)) if found else 0


def newest(server, name):
    return wait_for(lambda: (server.lookup([("EventName", name), ("SensitiveAction", "true")], limit=1) or [None])[0], what=name)


def weakening(e):
    return e["additionalEventData"].get("Weakening")


def test_changes_that_weaken_a_trail_are_marked_and_counted(server):
    server.trail("guarded-trail", "guarded-bucket", EventRW="All", TrailRegion="All")
    server.make_bucket("other-bucket")
    steps = [
        ("UpdateTrail", {"EventRW": "Write"}, "delivers Write events instead of All"),
        ("UpdateTrail", {"TrailRegion": "cn-hangzhou"}, "leaves out regions: cn-hangzhou instead of All"),
        ("UpdateTrail", {"OssBucketName": "other-bucket"}, "to the bucket other-bucket instead of guarded-bucket"),
        ("StopLogging", {}, "stops the trail guarded-trail"),
        ("DeleteTrail", {}, "deletes the trail guarded-trail"),
    ]
    for name, change, told in steps:
        before = counted(server, name)
        server.call(name, {"Name": "guarded-trail", **change})
        assert told in weakening(newest(server, name))
        assert counted(server, name) == before + 1


def test_changes_that_strengthen_are_not_counted(server):
    server.trail("growing-trail", "growing-bucket", EventRW="Write", TrailRegion="cn-hangzhou")
    before = counted(server, "UpdateTrail")
    server.call("UpdateTrail", {"Name": "growing-trail", "EventRW": "All", "TrailRegion": "All"})
    assert counted(server, "UpdateTrail") == before
    assert weakening(newest(server, "UpdateTrail")) is None


def test_a_refused_attempt_is_recorded_but_not_counted(server):
    before = counted(server, "StopLogging")
    assert server.rpc("StopLogging", {"Name": "no-such-trail"}).status == 404
    assert newest(server, "StopLogging")["errorCode"] == "TrailNotFoundException"
    assert counted(server, "StopLogging") == before


def test_shorter_retention_is_seen_at_the_start(make_server):
    server = make_server(extra=("--retention-days", "90"))
    assert server.stop() == 0
    server.arguments[-1] = "30"
    server.start()
    event = newest(server, "UpdateRetention")
    assert event["userIdentity"]["type"] == "system"
    assert weakening(event) == "the event history is kept for 30 days instead of 90"
    assert server.stop() == 0
    server.start()
    assert len(server.lookup([("EventName", "UpdateRetention")])) == 1


def test_a_change_is_told_even_if_the_service_is_killed_in_it(make_server):
    """Killed at random moments while trails are made: every trail that exists has its event, made once."""
    server = make_server()
    server.make_bucket("killed-bucket")
    number = 0
    for round in range(6):
        stop = threading.Event()

        def make():
            nonlocal number
            while not stop.is_set():
                number += 1
                try:
                    server.rpc("CreateIngestToken", {"Name": f"token{number}"}, timeout=5)
                except Exception:
                    return

        maker = threading.Thread(target=make)
        maker.start()
        time.sleep(0.15 + 0.07 * round)
        server.kill()
        stop.set()
        maker.join()
        server.start()
    tokens = {t["Name"] for t in server.call("ListIngestTokens")["IngestTokens"]}
    events = server.lookup([("EventName", "CreateIngestToken")], page=50)
    told = [e["requestParameters"]["Name"] for e in events]
    assert tokens <= set(told), "a change without its event"
    assert len(told) == len(set(told)), "a change told twice"
    assert len(tokens) > 20
