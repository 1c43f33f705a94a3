# Events that nobody here wrote: every one is recorded or rejected with a code, found again, whole, delivered and verified.
# SPDX-License-Identifier: Apache-2.0
import gzip
import hashlib
import json
import random
import re
import time

import pytest

from support import compact, delivered, event, ndjson, split_array, wait_for

EVER = dict(start="1900-01-01T00:00:00Z", end="2100-01-01T00:00:00Z")
SAMPLE = 300


def lines_of(path):
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    return [line for line in content.split(b"\n") if line.strip()]


class Recorded:
    """One server that all files were put into, and what became of them."""

    def __init__(self, server, shared):
        self.server = server
        server.trail("real-data", "real-data-bucket")
        data = shared / "data"
        self.files = {f"cloudtrail/{p.name}": lines_of(p) for p in sorted((data / "cloudtrail").glob("*.ndjson.gz"))}
        self.files["k8s-audit"] = lines_of(data / "other/k8s-audit.ndjson.gz")
        for name in ("actiontrail-samples", "actiontrail-thirdparty-synthetic"):
            self.files[name] = lines_of(data / (name + ".ndjson"))
        self.answers = {}
        for name, lines in self.files.items():
            total = dict(Accepted=0, Duplicates=0, Conflicts=0, Rejected={})
            for start in range(0, len(lines), 2000):
                answer = server.put(b"\n".join(lines[start:start + 2000]), headers={}, query="")
                assert answer.status in (200, 400), (name, answer)
                body = answer.json
                for key in ("Accepted", "Duplicates", "Conflicts"):
                    total[key] += body.get(key, 0)
                for rejected in body["Rejected"]:
                    total["Rejected"][start + rejected["Line"]] = rejected
            self.answers[name] = total
        server.settle("real-data", wait=120)
        self.raw = delivered(server.bucket("real-data-bucket"))
        self.events = [json.loads(e) for e in self.raw]


@pytest.fixture(scope="module")
def recorded(module_server):
    from support import SHARED
    if not (SHARED / "data").is_dir():
        pytest.skip(f"{SHARED}/data is not here: set CAIRN_SHARED to the folder of shared test data")
    return Recorded(module_server, SHARED)


def test_every_line_is_recorded_or_rejected_with_a_code(recorded):
    for name, lines in recorded.files.items():
        total = recorded.answers[name]
        print(f"{name}: {len(lines)} lines, {total['Accepted']} recorded, {total['Duplicates']} known, {total['Conflicts']} conflicts, "
              f"{len(total['Rejected'])} rejected {sorted({r['Code'] for r in total['Rejected'].values()})}")
        assert total["Accepted"] + total["Duplicates"] + len(total["Rejected"]) == len(lines), name
        for number, rejected in total["Rejected"].items():
            assert rejected["Code"] and rejected["Message"], (name, number, rejected)
    # What a cloud or a cluster wrote is not to be rejected.
    for name in ("cloudtrail/invictus.ndjson.gz", "cloudtrail/opensearch.ndjson.gz", "cloudtrail/sans504.ndjson.gz",
                 "cloudtrail/small-captures.ndjson.gz", "k8s-audit", "actiontrail-samples", "actiontrail-thirdparty-synthetic"):
        assert not recorded.answers[name]["Rejected"], (name, recorded.answers[name]["Rejected"])
    rejected = sum(len(t["Rejected"]) for t in recorded.answers.values())
    assert rejected <= 20, f"{rejected} records rejected"


def test_repeats_are_duplicates_only_when_they_are_the_same(recorded):
    """sans504 holds 6,496 events twice."""
    lines = recorded.files["cloudtrail/sans504.ndjson.gz"]
    distinct = len({json.dumps(json.loads(line), sort_keys=False) for line in lines})
    total = recorded.answers["cloudtrail/sans504.ndjson.gz"]
    assert total["Accepted"] == distinct and total["Duplicates"] == len(lines) - distinct, (distinct, total)


def source_of(e):
    return (e.get("additionalEventData") or {}).get("sourceRecord") if isinstance(e.get("additionalEventData"), dict) else None


def test_the_original_is_whole_inside(recorded):
    """Every accepted line's bytes are in the log: as the event itself, or as the record inside it."""
    inside = set()
    for raw, e in zip(recorded.raw, recorded.events):
        source = source_of(e)
        if source is not None:
            at = raw.index(b'"sourceRecord":') + len(b'"sourceRecord":')
            inside.add(hashlib.sha256(raw[at:-2]).digest())
        inside.add(hashlib.sha256(raw).digest())
    values = {json.dumps(v, sort_keys=True) for e in recorded.events for v in [source_of(e)] if v is not None}
    missing, compared = [], 0
    for name, lines in recorded.files.items():
        for number, line in enumerate(lines, 1):
            if number in recorded.answers[name]["Rejected"]:
                continue
            compared += 1
            if hashlib.sha256(line.strip()).digest() in inside:
                continue
            value = json.loads(line)
            if json.dumps(value, sort_keys=True) in values:
                continue
            if name.startswith("actiontrail"):
                # Fields that were missing are added; what was there is unchanged.
                if any(all(e.get(k) == v for k, v in value.items()) for e in recorded.events):
                    continue
            missing.append((name, number))
    assert compared > 20_000 and not missing, missing[:10]


def test_delivered_once_and_verified(recorded):
    accepted = sum(t["Accepted"] for t in recorded.answers.values())
    ours = [e for e in recorded.raw if b'"serviceName":"Actiontrail"' not in e or b"PutEvents" not in e]
    assert len(recorded.raw) == len(set(recorded.raw))
    assert len(ours) >= accepted
    done = recorded.server.cairn("verify", "--bucket", "real-data-bucket", "--output", "json", check=0)
    report = json.loads(done.stdout)
    assert report["events"] >= len(recorded.raw) and report["findings"] == []


def foreign(recorded):
    own = re.compile(rb'"userAgent":"python-requests|"eventName":"PutEvents"')
    return [(raw, e) for raw, e in zip(recorded.raw, recorded.events) if not own.search(raw)]


def raw_lookup(server, attributes):
    found, token = [], None
    while True:
        answer = server.rpc("LookupEvents", {"StartTime": EVER["start"], "EndTime": EVER["end"], "MaxResults": 50, "NextToken": token,
                                             "LookupAttribute": attributes})
        assert answer.status == 200, (attributes, answer)
        found += split_array(events_part(answer.content))
        token = answer.json.get("NextToken")
        if not token or len(found) > 1000:
            return found, bool(token)


def events_part(content):
    """The raw text of the member Events."""
    text = content.decode()
    at = text.index('"Events":') + 9
    _, end = json.JSONDecoder().raw_decode(text, at)
    return text[at:end].encode()


def id_of(e):
    """One service writes its keys with capitals."""
    return e.get("eventId") or e.get("EventId")


def test_each_one_is_found_by_its_id_byte_for_byte(recorded):
    choose = random.Random(1)
    everything = foreign(recorded)
    small = [pair for pair in everything if source_of(pair[1]) is None or "auditID" in (source_of(pair[1]) or {})]
    for raw, e in choose.sample(everything, SAMPLE) + small:
        event_id = id_of(e)
        found, _ = raw_lookup(recorded.server, [("EventId", event_id)])
        assert raw in found, event_id
        assert all(id_of(json.loads(x)) == event_id for x in found)


@pytest.mark.parametrize("key, value_of", [
    ("User", lambda e: (e.get("userIdentity") or {}).get("userName")),
    ("EventAccessKeyId", lambda e: (e.get("userIdentity") or {}).get("accessKeyId")),
    ("PrincipalId", lambda e: (e.get("userIdentity") or {}).get("principalId")),
    ("EventName", lambda e: e.get("eventName")),
    ("ServiceName", lambda e: e.get("serviceName")),
    ("SourceIpAddress", lambda e: e.get("sourceIpAddress")),
    ("ResourceType", lambda e: next(iter((e.get("referencedResources") or {}).keys()), None)),
    ("ResourceName", lambda e: next((n for names in (e.get("referencedResources") or {}).values() for n in names), None)),
])
def test_each_one_is_found_by_its_fields(recorded, key, value_of):
    """Everything of a value, and nothing else, wherever the answer is small enough to be walked."""
    choose = random.Random(key)
    values = {}
    for raw, e in foreign(recorded):
        value = value_of(e)
        if isinstance(value, str) and value:
            values.setdefault(value, set()).add(raw)
    assert len(values) >= 10, values.keys()
    for value in choose.sample(sorted(values), min(40, len(values))):
        found, cut = raw_lookup(recorded.server, [(key, value)])
        if cut:
            assert set(found) & values[value]
        else:
            assert values[value] <= set(found), (key, value, len(values[value]), len(found))


def test_the_source_record_and_the_event_agree(recorded):
    """Who did what, from where, as the source says it."""
    counted = 0
    for _, e in foreign(recorded):
        source = source_of(e)
        if not isinstance(source, dict):
            continue
        if "eventSource" in source and "awsRegion" in source:
            counted += 1
            assert e["eventName"] == source["eventName"]
            assert e["acsRegion"] == source["awsRegion"]
            assert e.get("sourceIpAddress", "") == (source.get("sourceIPAddress") or ""), source
            assert e.get("errorCode", "") == (source.get("errorCode") or "")
            key = (source.get("userIdentity") or {}).get("accessKeyId") if isinstance(source.get("userIdentity"), dict) else None
            if isinstance(key, str) and key:
                assert e["userIdentity"]["accessKeyId"] == key
            if isinstance(source.get("readOnly"), bool):
                assert e["eventRW"] == ("Read" if source["readOnly"] else "Write")
        elif source.get("verb"):
            counted += 1
            assert e["eventName"] == source["verb"]
            assert e["userIdentity"].get("userName") == source["user"]["username"] if source.get("user") else True
            assert e["eventRW"] == ("Read" if source["verb"] in ("get", "list", "watch") else "Write"), source["verb"]
    assert counted > 15_000


def test_putting_the_files_with_the_command(recorded, shared):
    """A second time, through `cairn put`: everything is known already."""
    data = shared / "data"
    paths = sorted((data / "cloudtrail").glob("*.ndjson.gz")) + [
        data / "other/k8s-audit.ndjson.gz", data / "actiontrail-samples.ndjson", data / "actiontrail-thirdparty-synthetic.ndjson"]
    done = recorded.server.cairn("put", "--output", "json", *paths)
    assert done.returncode == 0, done.stderr[-500:]
    body = json.loads(done.stdout)
    lines = sum(len(v) for v in recorded.files.values())
    rejected = sum(len(t["Rejected"]) for t in recorded.answers.values())
    assert (body["Accepted"], body["Rejected"], body["Duplicates"]) == (0, rejected, lines - rejected), body
    assert done.stderr.count(b": ") >= rejected


def test_made_up_files_with_the_command(server, tmp_path):
    """The same with the project's own events, where the shared ones are missing."""
    plain, packed, array = tmp_path / "plain.ndjson", tmp_path / "packed.ndjson.gz", tmp_path / "array.json"
    events = [event(i, eventId=f"file-{i}") for i in range(30)]
    plain.write_bytes(ndjson(events[:10]) + b"bad line\n")
    packed.write_bytes(gzip.compress(ndjson(events[10:20])))
    array.write_bytes(json.dumps(events[20:], indent=2).encode())
    done = server.cairn("put", "--output", "json", plain, packed, array, check=0)
    body = json.loads(done.stdout)
    assert (body["Accepted"], body["Rejected"]) == (30, 1)
    assert f"{plain}:11: InvalidJSON".encode() in done.stderr
    done = server.cairn("put", "-", input=ndjson(events), check=0)
    assert b"30 known already" in done.stdout
    done = server.cairn("lookup", "--attribute", "EventId=file-29", "--output", "json", check=0)
    assert b"file-29" in done.stdout
    assert server.cairn("lookup", "--attribute", "EventId=absent", "--assert").returncode == 1
    assert server.cairn("put", tmp_path / "absent").returncode == 2
    assert server.cairn("put", "--format", "syslog", plain).returncode == 2
    (tmp_path / "bad").write_text("nothing good\n")
    assert server.cairn("put", tmp_path / "bad").returncode == 1
    started = time.time()
    assert server.cairn("put", plain, env={"CAIRN_ENDPOINT": "http://127.0.0.1:9"}).returncode == 3
    assert time.time() - started < 20, f"nobody listens there: told after {time.time() - started:.0f} s"
    assert server.cairn("lookup", env={"CAIRN_ACCESS_KEY_SECRET": "wrong"}).returncode == 3
    token = server.cairn("token", "create", "of-the-command", check=0).stdout.decode().strip()
    assert server.cairn("put", "--token", token, plain, check=0)
    assert wait_for(lambda: server.lookup([("EventId", "file-0")])) == [json.loads(compact(events[0]))]


def test_the_sample_story(server):
    """`cairn sample` gives the same story for the same seed, and all of it is recorded."""
    arguments = ["sample", "--events", "800", "--seed", "7", "--end", "2026-01-31T08:00:00Z"]
    story = server.cairn(*arguments, check=0).stdout
    assert story == server.cairn(*arguments, check=0).stdout
    assert story != server.cairn(*arguments[:3], "--seed", "8", *arguments[5:], check=0).stdout
    lines = story.splitlines()
    assert len(lines) == 800
    answer = server.put(story)
    assert (answer.json["Accepted"], answer.json["Rejected"]) == (800, []), answer
    sample = [json.loads(line) for line in lines]
    assert all(e["eventTime"] <= "2026-01-31T08:00:00Z" for e in sample)
    for e in random.Random(3).sample(sample, 30):
        found = server.lookup([("EventId", e["eventId"])], **EVER)
        assert found == [e]
