# Delivery: exactly the selected events, byte for byte, laid out as the vendor lays them out; gaps, history jobs, trouble.
# SPDX-License-Identifier: Apache-2.0
import datetime
import gzip
import hashlib
import json
import re
import shutil
import time

import oss2
import pytest

from support import REGION, check_once, delivered, event, ids, iso, job_done, now, objects_of, split_array, wait_for

KEY_FORM = re.compile(
    r"^(?:(?P<prefix>[A-Za-z][A-Za-z0-9/_-]*)/)?AliyunLogs/Actiontrail/(?P<region>[^/]+)/(?P<day>\d{4}/\d\d/\d\d)/"
    r"Actiontrail_(?P<region2>[^_]+)_(?P<time>\d{14})_1002_(?P<count>\d+)_(?P<size>\d+)_(?P<md5>[0-9a-f]{32})\.gz$")
DIGEST_FORM = re.compile(r"^(?:(?P<prefix>[A-Za-z][A-Za-z0-9/_-]*)/)?AliyunLogs/Actiontrail-Digest/.*\.digest$")


def mixed_events(count, tag):
    regions = ["cn-hangzhou", "cn-beijing", "eu-central-1"]
    return [event(
        i, eventId=f"{tag}-{i}", eventRW="Write" if i % 3 else "Read", acsRegion=regions[i % 3 if i % 7 else 0], isGlobal=i % 11 == 0,
        eventName="名字 \"quoted\\\"" if i % 5 == 0 else "StartInstance", serviceName="Mixed",
        eventTime=iso(now() - datetime.timedelta(seconds=10 * i, days=i % 3))) for i in range(count)]


def check_layout(objects, prefix=None):
    """Every key is of the vendor's form and tells the truth about its object; gives the events in order."""
    events = []
    for key, content in sorted(objects.items()):
        if DIGEST_FORM.match(key):
            continue
        form = KEY_FORM.match(key)
        assert form, key
        assert form["prefix"] == prefix, key
        raw = gzip.decompress(content)
        inside = split_array(raw)
        assert isinstance(json.loads(raw), list) and len(inside) == int(form["count"])
        assert len(content) == int(form["size"]) and hashlib.md5(content).hexdigest() == form["md5"]
        assert form["region"] == form["region2"]
        times = [json.loads(e)["eventTime"] for e in inside]
        assert max(times).replace("-", "").replace(":", "").replace("T", "").rstrip("Z") == form["time"], "the newest event's time"
        assert form["day"] == f"{form['time'][:4]}/{form['time'][4:6]}/{form['time'][6:8]}"
        for e in map(json.loads, inside):
            expected = REGION if e["isGlobal"] else e["acsRegion"]
            assert form["region"] == expected, (key, e["eventId"])
        events += inside
    return events


def test_delivered_bytes_layout_and_digests(server):
    server.trail("deliver-all", "deliver-all-bucket", OssKeyPrefix="made/up-prefix")
    events = mixed_events(300, "all")
    for start in range(0, 300, 60):
        server.record(events[start:start + 60])
        time.sleep(0.3)
    status = server.settle("deliver-all")
    assert status["IsLogging"] is True and status["OssBucketStatus"] is True and "LatestDeliveryTime" in status
    assert "LatestDeliveryError" not in status
    objects = objects_of(server.bucket("deliver-all-bucket"))
    raw = check_layout(objects, "made/up-prefix")
    got = check_once(raw, events)
    # The trail's own calls are in it too, from StartLogging on.
    names = [json.loads(e)["eventName"] for e in raw]
    assert "StartLogging" in names and "CreateTrail" not in names
    assert any(DIGEST_FORM.match(k) for k in objects)
    done = server.cairn("verify", "--bucket", "deliver-all-bucket", "--output", "json", check=0)
    report = json.loads(done.stdout)
    assert report["events"] == len(raw) and report["findings"] == []
    # Byte for byte what a lookup gives.
    looked = server.rpc("LookupEvents", {"MaxResults": 50, "LookupAttribute": [("ServiceName", "Mixed")]}).content
    for e in split_array(looked[looked.index(b"["):looked.rindex(b"]") + 1]):
        assert got[json.loads(e)["eventId"]] == e


@pytest.mark.parametrize("name, selection, region, chosen", [
    ("only-writes", "Write", "All", lambda e: e["eventRW"] == "Write"),
    ("only-reads", "Read", "All", lambda e: e["eventRW"] == "Read"),
    ("one-region", "All", "cn-beijing", lambda e: e["acsRegion"] == "cn-beijing" or e["isGlobal"]),
    ("two-regions-writes", "Write", "cn-beijing,eu-central-1",
     lambda e: e["eventRW"] == "Write" and (e["acsRegion"] in ("cn-beijing", "eu-central-1") or e["isGlobal"])),
])
def test_selection(make_server, name, selection, region, chosen):
    server = make_server()
    server.trail(name, "bucket-" + name, EventRW=selection, TrailRegion=region)
    events = mixed_events(200, name)
    for start in range(0, 200, 50):
        server.record(events[start:start + 50])
        time.sleep(0.2)
    server.settle(name)
    raw = check_layout(objects_of(server.bucket("bucket-" + name)))
    mixed = [e for e in raw if json.loads(e)["serviceName"] == "Mixed"]
    assert sorted(ids(mixed)) == sorted(e["eventId"] for e in events if chosen(e))
    assert all(chosen(json.loads(e)) for e in raw)
    assert 0 < len(mixed) < len(events)
    # What was left out is accounted for: the omitted runs hash to the same signed checkpoints.
    done = server.cairn("verify", "--bucket", "bucket-" + name, check=0)
    assert b"none missing" in done.stdout


def test_changing_the_selection_counts_from_the_change_on(make_server):
    server = make_server()
    server.trail("changed-trail", "changed-bucket", EventRW="Write")
    server.record([event(1, eventId="read-before", eventRW="Read"), event(2, eventId="write-before")])
    server.settle("changed-trail")
    server.call("UpdateTrail", {"Name": "changed-trail", "EventRW": "All"})
    server.record([event(3, eventId="read-after", eventRW="Read")])
    server.settle("changed-trail")
    found = ids(delivered(server.bucket("changed-bucket")))
    assert "write-before" in found and "read-after" in found and "read-before" not in found
    server.cairn("verify", "--bucket", "changed-bucket", check=0)


def test_stop_and_start_leave_a_gap_that_is_told(make_server):
    server = make_server()
    server.trail("gap-trail", "gap-bucket")
    server.record([event(i, eventId=f"before-{i}") for i in range(20)])
    server.call("StopLogging", {"Name": "gap-trail"})  # what was recorded before the stop still goes out
    server.record([event(i, eventId=f"meanwhile-{i}") for i in range(20)])
    wait_for(lambda: "before-19" in ids(delivered(server.bucket("gap-bucket"))), what="the rest before the stop")
    time.sleep(1.2)
    status = server.call("GetTrailStatus", {"Name": "gap-trail"})
    assert status["IsLogging"] is False and "StopLoggingTime" in status
    server.call("StartLogging", {"Name": "gap-trail"})
    server.record([event(i, eventId=f"after-{i}") for i in range(20)])
    server.settle("gap-trail")
    found = ids(delivered(server.bucket("gap-bucket")))
    assert {f"before-{i}" for i in range(20)} | {f"after-{i}" for i in range(20)} <= set(found)
    assert not [i for i in found if i.startswith("meanwhile")] and len(found) == len(set(found))
    names = [json.loads(e)["eventName"] for e in delivered(server.bucket("gap-bucket"))]
    assert "StopLogging" in names, "the stop itself is the last thing delivered"
    done = server.cairn("verify", "--bucket", "gap-bucket", check=0)
    assert b"logging was off" in done.stdout
    # A history job fills the gap, and doubles nothing.
    job = server.call("CreateDeliveryHistoryJob", {"TrailName": "gap-trail"})["JobId"]
    job_done(server, job)
    server.settle("gap-trail")
    found = ids(delivered(server.bucket("gap-bucket")))
    assert {f"meanwhile-{i}" for i in range(20)} <= set(found) and len(found) == len(set(found))
    server.cairn("verify", "--bucket", "gap-bucket", check=0)


def test_quick_stops_and_starts_lose_and_double_nothing(make_server):
    """A start before the stop was delivered takes the stop back, so what came between may be delivered; never twice."""
    server = make_server(interval="0.3")
    server.trail("flapping-trail", "flapping-bucket")
    for number in range(8):
        server.record([event(number, eventId=f"on-{number}")])
        server.call("StopLogging", {"Name": "flapping-trail"})
        server.record([event(number, eventId=f"off-{number}")])
        server.call("StartLogging", {"Name": "flapping-trail"})
    server.settle("flapping-trail")
    found = ids(delivered(server.bucket("flapping-bucket")))
    assert len(found) == len(set(found))
    assert {f"on-{number}" for number in range(8)} <= set(found)
    server.cairn("verify", "--bucket", "flapping-bucket", check=0)


def test_history_job_delivers_what_was_before_and_only_once(make_server):
    server = make_server()
    old = [event(i, eventId=f"old-{i}", eventTime=iso(now() - datetime.timedelta(days=i % 40))) for i in range(150)]
    server.record(old)
    server.trail("history-trail", "history-bucket")
    new = [event(i, eventId=f"new-{i}") for i in range(50)]
    server.record(new)
    server.settle("history-trail")
    bucket = server.bucket("history-bucket")
    assert not [i for i in ids(delivered(bucket)) if i.startswith("old-")]
    done = server.cairn("trail", "backfill", "history-trail", check=0)
    assert done.stdout
    job = server.call("ListDeliveryHistoryJobs")["DeliveryHistoryJobs"][0]["JobId"]
    job_done(server, job)
    server.settle("history-trail")
    check_once(check_layout(objects_of(bucket)), old + new)
    done = server.cairn("verify", "--bucket", "history-bucket", check=0)
    assert b"trail-" in done.stdout and b"job-" in done.stdout
    before = {k for k in objects_of(bucket) if k.endswith(".gz")}
    second = server.call("CreateDeliveryHistoryJob", {"TrailName": "history-trail"})["JobId"]
    assert second != job
    job_done(server, second)
    server.settle("history-trail")
    after = ids(delivered(bucket))
    assert len(after) == len(set(after)), "the second job delivered something again"
    late = [k for k in objects_of(bucket) if k.endswith(".gz") and k not in before]
    assert not [i for k in late for i in ids(split_array(gzip.decompress(bucket.get_object(k).read()))) if i.startswith(("old-", "new-"))]
    # And a trail that is stopped gets its history too.
    server.call("StopLogging", {"Name": "history-trail"})
    server.record([event(1, eventId="while-stopped")])
    time.sleep(1)
    third = server.call("CreateDeliveryHistoryJob", {"TrailName": "history-trail"})["JobId"]
    job_done(server, third)
    after = ids(delivered(bucket))
    assert "while-stopped" in after and len(after) == len(set(after))
    server.cairn("verify", "--bucket", "history-bucket", check=0)


def test_a_deleted_trail_leaves_its_objects_and_stops(server):
    server.trail("deleted-trail", "deleted-bucket")
    server.record([event(1, eventId="before-delete")])
    server.settle("deleted-trail")
    server.call("DeleteTrail", {"Name": "deleted-trail"})
    server.record([event(2, eventId="after-delete")])
    time.sleep(1.5)
    found = ids(delivered(server.bucket("deleted-bucket")))
    assert "before-delete" in found and "after-delete" not in found
    # The name and the bucket are free again; a new trail is a new chain in the same bucket.
    server.trail("deleted-trail", "deleted-bucket")
    server.record([event(3, eventId="second-life")])
    server.settle("deleted-trail")
    found = ids(delivered(server.bucket("deleted-bucket")))
    assert "second-life" in found and "after-delete" not in found and len(found) == len(set(found))
    server.cairn("verify", "--bucket", "deleted-bucket", check=0)


def test_a_bucket_that_is_gone_is_told_and_delivery_resumes(make_server):
    server = make_server()
    server.trail("trouble-trail", "trouble-bucket")
    server.trail("healthy-trail", "healthy-bucket")
    server.record([event(i, eventId=f"good-{i}") for i in range(10)])
    server.settle("trouble-trail")
    bucket = server.bucket("trouble-bucket")
    saved = objects_of(bucket)
    for key in saved:
        bucket.delete_object(key)
    # Delivery goes on meanwhile: the bucket is empty only between two of its deliveries.
    def empty_and_delete():
        for o in oss2.ObjectIteratorV2(bucket):
            saved[o.key] = bucket.get_object(o.key).read()
            bucket.delete_object(o.key)
        try:
            bucket.delete_bucket()
            return True
        except oss2.exceptions.ServerError as error:
            assert error.code == "BucketNotEmpty", error
    wait_for(empty_and_delete, pause=0.02, what="an empty bucket")
    server.record([event(i, eventId=f"during-{i}") for i in range(10)])
    status = wait_for(lambda: (lambda s: s.get("LatestDeliveryError") and s)(server.call("GetTrailStatus", {"Name": "trouble-trail"})),
                      what="the trouble to be told")
    assert status["IsLogging"] is True and status["OssBucketStatus"] is False, status
    assert b"cairn_delivery_failures_total" in server.get("/metrics").content
    server.settle("healthy-trail")
    assert "during-9" in ids(delivered(server.bucket("healthy-bucket"))), "one trail's trouble touches no other"
    assert server.put([event(99)]).status == 200, "recording goes on"
    bucket.create_bucket()
    for key, content in saved.items():
        bucket.put_object(key, content)
    server.settle("trouble-trail", wait=90)
    status = server.call("GetTrailStatus", {"Name": "trouble-trail"})
    assert "LatestDeliveryError" not in status and status["OssBucketStatus"] is True, status
    found = ids(delivered(bucket))
    assert {f"good-{i}" for i in range(10)} | {f"during-{i}" for i in range(10)} <= set(found) and len(found) == len(set(found))
    server.cairn("verify", "--bucket", "trouble-bucket", check=0)


def test_a_folder_that_cannot_be_written_is_told_and_delivery_resumes(make_server):
    """Under the store: the bucket's folder is moved away, and comes back."""
    server = make_server()
    server.trail("moved-trail", "moved-bucket")
    server.record([event(1, eventId="before-move")])
    server.settle("moved-trail")
    folder = server.data / "objects" / "moved-bucket"
    aside = server.data / "objects-aside"
    shutil.move(folder, aside)
    folder.write_text("a file where a folder should be")
    server.record([event(2, eventId="during-move")])
    status = wait_for(lambda: (lambda s: s.get("LatestDeliveryError") and s)(server.call("GetTrailStatus", {"Name": "moved-trail"})),
                      what="the trouble to be told")
    assert status["IsLogging"] is True
    folder.unlink()
    shutil.move(aside, folder)
    server.settle("moved-trail", wait=90)
    found = ids(delivered(server.bucket("moved-bucket")))
    assert {"before-move", "during-move"} <= set(found) and len(found) == len(set(found))
    assert "LatestDeliveryError" not in server.call("GetTrailStatus", {"Name": "moved-trail"})
    server.cairn("verify", "--bucket", "moved-bucket", check=0)


def test_moving_a_trail_to_another_bucket(server):
    server.trail("moving-trail", "moving-bucket-one")
    server.record([event(1, eventId="in-one")])
    server.settle("moving-trail")
    server.make_bucket("moving-bucket-two")
    answer = server.rpc("UpdateTrail", {"Name": "moving-trail", "OssBucketName": "moving-bucket-two"})
    assert answer.status == 200 and answer.json["OssBucketName"] == "moving-bucket-two", answer
    server.record([event(2, eventId="in-two")])
    server.settle("moving-trail")
    assert "in-two" in ids(delivered(server.bucket("moving-bucket-two")))
    assert "in-two" not in ids(delivered(server.bucket("moving-bucket-one")))
    server.cairn("verify", "--bucket", "moving-bucket-one", check=0)
    server.cairn("verify", "--bucket", "moving-bucket-two", check=0)


def test_odd_regions_stay_inside_their_folder(server):
    server.trail("odd-regions", "odd-regions-bucket")
    regions = ["../../up", "a/b", "", "中文", "x" * 200, "sp ace", ".", "..", "%2e%2e"]
    server.record([event(i, eventId=f"odd-{i}", acsRegion=r) for i, r in enumerate(regions)])
    server.settle("odd-regions")
    keys = list(objects_of(server.bucket("odd-regions-bucket")))
    raw = delivered(server.bucket("odd-regions-bucket"))
    assert {f"odd-{i}" for i in range(len(regions))} <= set(ids(raw))
    for key in keys:
        if not key.endswith(".digest"):
            assert re.match(r"^AliyunLogs/Actiontrail/[A-Za-z0-9_.-]{1,64}/\d{4}/\d\d/\d\d/[A-Za-z0-9_.-]+$", key), key
            assert key.split("/")[2] not in (".", ".."), key
    server.cairn("verify", "--bucket", "odd-regions-bucket", check=0)


def test_a_producer_cannot_spoil_the_download_of_a_bucket(server, tmp_path):
    server.trail("spoiled-trail", "spoiled-bucket")
    server.record([event(1, eventId="spoils", acsRegion="..")])
    server.settle("spoiled-trail")
    server.cairn("bucket", "download", "spoiled-bucket", "--to", tmp_path / "out", check=0)
    server.cairn("verify", tmp_path / "out", check=0)


def test_a_large_backlog_is_cut_into_several_objects(make_server):
    server = make_server()
    filler = "y" * 3000
    events = [event(i, eventId=f"backlog-{i}", filler=filler, n=i) for i in range(9_000)]
    for start in range(0, len(events), 1500):
        server.record(events[start:start + 1500])
    server.trail("backlog-trail", "backlog-bucket")
    job = server.call("CreateDeliveryHistoryJob", {"TrailName": "backlog-trail"})["JobId"]
    job_done(server, job, wait=90)
    raw = check_layout(objects_of(server.bucket("backlog-bucket")))
    found = [i for i in ids(raw) if i.startswith("backlog-")]
    assert len(found) == len(set(found)) == 9_000
    assert len([k for k in objects_of(server.bucket("backlog-bucket")) if k.endswith(".gz")]) >= 2
    server.cairn("verify", "--bucket", "backlog-bucket", check=0)
