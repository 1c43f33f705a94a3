# kill -9 under load, many times over: every acknowledged event exactly once, the tree consistent, deliveries without gap or double.
# SPDX-License-Identifier: Apache-2.0
import base64
import json
import os
import random
import threading
import time

import pytest

import tlog
from support import ago, ahead, compact, delivered, event, split_array, wait_for

ROUNDS = int(os.environ.get("CAIRN_CRASH_ROUNDS", "8"))
SEED = int(os.environ.get("CAIRN_CRASH_SEED") or random.SystemRandom().randrange(1 << 32))


class Load:
    """Threads that put batches and single events until the server is gone, and remember what was acknowledged."""

    def __init__(self, server, choose, round_number):
        self.server, self.round = server, round_number
        self.acknowledged, self.unanswered, self.checkpoints = [], [], []
        self.lock, self.stopping = threading.Lock(), threading.Event()
        seeds = [choose.randrange(1 << 32) for _ in range(5)]
        self.threads = [threading.Thread(target=self.put, args=(n, random.Random(s))) for n, s in enumerate(seeds)]
        self.threads.append(threading.Thread(target=self.watch))
        for thread in self.threads:
            thread.start()

    def put(self, worker, choose):
        number = 0
        while not self.stopping.is_set():
            count = 1 if worker < 3 else choose.randrange(1, 120)
            batch = [event(i, eventId=f"crash-{self.round}-{worker}-{number + i}", eventRW="Write" if i % 2 else "Read",
                           filler="z" * choose.randrange(900)) for i in range(count)]
            number += count
            try:
                answer = self.server.put(batch, timeout=20)
                good = answer.status == 200 and answer.json["Accepted"] + answer.json["Duplicates"] == count
            except Exception:
                good = False
            with self.lock:
                (self.acknowledged if good else self.unanswered).extend(batch)
            if not good:
                return

    def watch(self):
        while not self.stopping.is_set():
            try:
                answer = self.server.get("/log/checkpoint")
                if answer.status == 200:
                    self.checkpoints.append(answer.content.decode())
            except Exception:
                return
            time.sleep(0.03)

    def finish(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)


def walk_raw(server, direction):
    """Raw bytes of every event of the load."""
    found, token = [], None
    start, end = ago(days=1), ahead(days=1)
    while True:
        answer = server.rpc("LookupEvents", {"StartTime": start, "EndTime": end, "MaxResults": 50, "NextToken": token, "Direction": direction,
                                             "LookupAttribute": [("ServiceName", "Ecs")]})
        assert answer.status == 200, answer
        content = answer.content
        found += split_array(content[content.index(b'"Events":') + 9:content.rindex(b"]") + 1])
        token = answer.json.get("NextToken")
        if not token:
            return found


@pytest.mark.timeout(600)
def test_kill_under_load(make_server):
    print(f"CAIRN_CRASH_SEED={SEED} CAIRN_CRASH_ROUNDS={ROUNDS}")
    choose = random.Random(SEED)
    server = make_server()
    server.trail("crash-trail", "crash-bucket")
    key_text = server.get("/log/key").content.decode()
    key = tlog.VerifierKey(key_text)
    acknowledged, unanswered, notes = [], [], []
    for round_number in range(ROUNDS):
        load = Load(server, choose, round_number)
        time.sleep(choose.uniform(0.05, 1.2))
        if round_number == ROUNDS // 2:
            # A history job and a stop are in the middle of things too.
            server.rpc("CreateDeliveryHistoryJob", {"TrailName": "crash-trail"})
        server.kill()
        load.finish()
        acknowledged += load.acknowledged
        unanswered += load.unanswered
        notes += load.checkpoints
        started = time.time()
        server.start()
        assert time.time() - started < 10
        assert server.get("/log/key").content.decode() == key_text, "the log's key must survive"
        note = server.get("/log/checkpoint").content.decode()
        checkpoint = tlog.Checkpoint(note, key)
        if notes:
            last = tlog.Checkpoint(notes[-1], key)
            assert checkpoint.size >= last.size, f"seed {SEED}: a checkpoint of size {last.size} was published, now {checkpoint.size}"
        notes.append(note)
    assert len(acknowledged) > 100 * ROUNDS
    # A retry of what was not answered, and of something that was, doubles nothing.
    for batch in (unanswered, choose.sample(acknowledged, 200)):
        answer = server.put(batch)
        assert answer.status == 200 and answer.json["Accepted"] + answer.json["Duplicates"] == len(batch) and "Conflicts" not in answer.json
    server.settle("crash-trail")
    expected = {e["eventId"]: compact(e) for e in acknowledged + unanswered}
    held = [e for e in walk_raw(server, choose.choice(["FORWARD", "BACKWARD"])) if b'"crash-' in e]
    by_id = {json.loads(e)["eventId"]: e for e in held}
    assert len(held) == len(by_id), f"seed {SEED}: looked up twice"
    assert by_id == expected, f"seed {SEED}: {len(set(expected) - set(by_id))} lost, {len(set(by_id) - set(expected))} not ours"
    raw = delivered(server.bucket("crash-bucket"))
    got = [e for e in raw if b'"eventId":"crash-' in e]
    assert len(raw) == len(set(raw)), f"seed {SEED}: delivered twice"
    assert sorted(got) == sorted(expected.values()), f"seed {SEED}: delivered {len(got)} of {len(expected)}"
    # The tree of today is a continuation of every checkpoint ever seen.
    final = tlog.Checkpoint(server.get("/log/checkpoint").content.decode(), key)
    entries = tlog.entries(lambda path: server.get("/log/" + path).content, final.size)
    leaves = [tlog.leaf_hash(e) for e in entries]
    seen = {}
    for note in notes:
        checkpoint = tlog.Checkpoint(note, key)
        assert seen.setdefault(checkpoint.size, checkpoint.root) == checkpoint.root, f"seed {SEED}: two roots of size {checkpoint.size}"
    for size in choose.sample(sorted(seen), min(40, len(seen))):
        assert tlog.root(leaves[:size]) == seen[size], f"seed {SEED}: size {size}"
        answer = server.call("GetConsistencyProof", {"From": size, "To": final.size})
        assert tlog.verify_consistency(size, final.size, [base64.b64decode(h) for h in answer["Hashes"]], seen[size], final.root)
    assert tlog.root(leaves) == final.root
    server.cairn("verify", "--bucket", "crash-bucket", check=0)
    assert not [line for line in server.log().splitlines() if "damaged" in line], "a crash damages nothing"
    print(f"{ROUNDS} kills, {len(acknowledged)} acknowledged, {len(unanswered)} unanswered, {len(seen)} checkpoints, log of {final.size}")


def test_kill_right_after_each_answer(make_server):
    """What was answered a moment ago is there after the crash: events, trails, tokens, buckets, objects, jobs."""
    server = make_server()
    token = None
    for number in range(4):
        assert server.put([event(number, eventId=f"moment-{number}")]).status == 200
        server.kill()
        server.start()
        assert len(server.ids([("EventId", f"moment-{number}")])) == 1
    server.make_bucket("moment-bucket")
    server.kill()
    server.start()
    server.bucket("moment-bucket").put_object("k", b"v" * 100_000)
    server.kill()
    server.start()
    assert server.bucket("moment-bucket").get_object("k").read() == b"v" * 100_000
    server.call("CreateTrail", {"Name": "moment-trail", "OssBucketName": "moment-bucket"})
    server.kill()
    server.start()
    server.call("StartLogging", {"Name": "moment-trail"})
    token = server.call("CreateIngestToken", {"Name": "moment"})
    server.kill()
    server.start()
    assert server.call("GetTrailStatus", {"Name": "moment-trail"})["IsLogging"] is True
    assert server.put([event(9)], token=token["IngestToken"]).status == 200
    server.call("DeleteIngestToken", {"TokenId": token["TokenId"]})
    server.call("StopLogging", {"Name": "moment-trail"})
    server.kill()
    server.start()
    assert server.put([event(9)], token=token["IngestToken"]).status in (401, 403)
    assert server.call("GetTrailStatus", {"Name": "moment-trail"})["IsLogging"] is False
    # Changes are recorded before they are answered.
    for name in ("CreateTrail", "StartLogging", "CreateIngestToken", "DeleteIngestToken", "StopLogging", "PutObject"):
        assert server.ids([("EventName", name)]), name


def test_kill_while_uploading_leaves_no_half_object(make_server):
    server = make_server()
    bucket = server.make_bucket("half-bucket")
    bucket.put_object("whole", b"old" * 1000)

    class Slow:
        left = 40
        def __len__(self):
            return 40 << 18
        def read(self, count=-1):
            if not self.left:
                return b""
            self.left -= 1
            time.sleep(0.02)
            return bytes(1 << 18)

    def upload(key):
        try:
            bucket.put_object(key, Slow())
        except Exception:
            pass

    threads = [threading.Thread(target=upload, args=(key,)) for key in ("whole", "fresh")]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    server.kill()
    for thread in threads:
        thread.join(60)
    server.start()
    bucket = server.bucket("half-bucket")
    assert bucket.get_object("whole").read() == b"old" * 1000
    assert not bucket.object_exists("fresh")
    left = [p for p in (server.data / "objects").rglob("*") if p.is_file()]
    assert len(left) == 1, f"what the crash left behind is swept up: {left}"


def test_torn_and_flipped_journal(make_server):
    """The tail that a crash tore is cut; a flipped bit in what was acknowledged is told, and the rest stays readable."""
    server = make_server()
    server.record([event(i, eventId=f"journal-{i}") for i in range(50)])
    server.kill()
    journals = sorted(p for p in (server.data / "history").rglob("*") if p.is_file() and "journal" in str(p))
    assert journals
    with open(journals[-1], "ab") as journal:
        journal.write(os.urandom(333))
    server.start()
    assert len([i for i in server.ids([("ServiceName", "Ecs")]) if i.startswith("journal-")]) == 50
    server.record([event(1, eventId="after-torn")])
    assert server.stop() == 0
    server.start()
    assert {"after-torn", "journal-49"} <= set(server.ids([("ServiceName", "Ecs")]))
    assert wait_for(lambda: server.get("/healthz").status == 200)
