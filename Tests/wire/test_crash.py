# kill -9 under load, many times over: every acknowledged event exactly once, the tree consistent, deliveries without gap or double.
# SPDX-License-Identifier: Apache-2.0
import base64
import collections
import concurrent.futures
import hashlib
import json
import os
import random
import threading
import time

import pytest

import tlog
from support import MOVABLE_CLOCK, ago, ahead, compact, delivered, event, split_array, wait_for

ROUNDS = int(os.environ.get("CAIRN_CRASH_ROUNDS", "8"))
KILLS = int(os.environ.get("CAIRN_KILLS", "300"))
SEED = int(os.environ.get("CAIRN_CRASH_SEED") or random.SystemRandom().randrange(1 << 32))


class Load:
    """Threads that put batches and single events until the server is gone, and remember what was acknowledged.

    A worker puts up to `sizes[worker]` events at once, and no more than `limit` in all."""

    def __init__(self, server, choose, round_number, sizes=(1, 1, 1, 120, 120), limit=1 << 30, filler=900):
        self.server, self.round, self.sizes, self.limit, self.filler = server, round_number, sizes, limit, filler
        self.acknowledged, self.unanswered, self.checkpoints = [], [], []
        self.lock, self.stopping = threading.Lock(), threading.Event()
        seeds = [choose.randrange(1 << 32) for _ in sizes]
        self.threads = [threading.Thread(target=self.put, args=(n, random.Random(s))) for n, s in enumerate(seeds)]
        self.threads.append(threading.Thread(target=self.watch))
        for thread in self.threads:
            thread.start()

    def put(self, worker, choose):
        number = 0
        while not self.stopping.is_set() and number < self.limit:
            count = choose.randrange(1, max(2, self.sizes[worker]))
            batch = [event(i, eventId=f"crash-{self.round}-{worker}-{number + i}", eventRW="Write" if i % 2 else "Read",
                           filler="z" * choose.randrange(self.filler)) for i in range(count)]
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


def walk_raw(server, direction, attributes=(("ServiceName", "Ecs"),)):
    """Raw bytes of every event of the load, or of those with other attributes."""
    found, token = [], None
    start, end = ago(days=1), ahead(days=1)
    while True:
        answer = server.rpc("LookupEvents", {"StartTime": start, "EndTime": end, "MaxResults": 50, "NextToken": token, "Direction": direction,
                                             "LookupAttribute": list(attributes)})
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


class Survivor:
    """A server that is killed again and again, while it starts and while it works, and what it owes: all that it
    acknowledged, once, byte for byte, until its 90 days are over.

    Its tails are so small that segments are made and joined all the time. Its history's clock goes in strides of a month,
    and at times of so many that all expires at once."""
    TAIL_ROWS, STRIDES, RETENTION = 64, (31, 31, 93), 90

    def __init__(self, make_server, folder, name, seed):
        self.name, self.choose, self.what = name, random.Random(seed), f"seed {SEED}, {name}"
        folder.mkdir()
        clock, self.clock = folder / "clock", folder / "history-clock"
        clock.write_text("0")
        self.days = 0
        self.clock.write_text("0")
        self.server = make_server(
            folder=folder / "server", binary=MOVABLE_CLOCK, extra=("--clock", str(clock), "--history-clock", str(self.clock)),
            variables={"CAIRN_TEST_TAIL_ROWS": str(self.TAIL_ROWS)})
        self.key_text = self.server.get("/log/key").content.decode()
        self.key = tlog.VerifierKey(self.key_text)
        # By id: the bytes, and the day of the history's clock on which it was first put.
        self.sent, self.recent, self.unanswered = {}, [], []
        self.newest, self.seen = None, {}
        self.kills = self.rounds = self.retried = self.longest = 0
        self.start_time = 0.2

    def is_owed(self, name):
        return self.days - self.sent[name][1] < self.RETENTION

    def run(self, kills):
        while self.kills < kills:
            self.round()
        self.settle_accounts()

    def kill(self):
        self.server.kill()
        self.kills += 1

    def round(self):
        load = Load(self.server, self.choose, f"{self.name}-{self.rounds}", sizes=(1, 40), limit=150, filler=200)
        self.rounds += 1
        time.sleep(self.choose.choice([0.01, 0.06, 0.15, 0.3]) * self.choose.random())
        self.kill()
        load.finish()
        for sent in load.acknowledged + load.unanswered:
            self.sent[sent["eventId"]] = (compact(sent), self.days)
        self.recent = (self.recent + load.acknowledged)[-500:]
        self.unanswered += load.unanswered
        for note in load.checkpoints:
            self.remember(note)
        self.start_again([self.choose.random() for _ in range(self.choose.choice([0, 0, 1]))])
        if self.rounds % 8 == 0:
            # Everything was answered by now: nothing is put again that may have expired meanwhile.
            self.kill()
            self.days += self.STRIDES[self.rounds // 8 % len(self.STRIDES)]
            later = self.clock.with_suffix(".new")
            later.write_text(str(self.days * 86_400))
            later.rename(self.clock)
            # Around the ready line old events are dropped, tails become segments and segments are joined.
            self.start_again([self.choose.uniform(0.7, 1.3) for _ in range(3)])

    def start_again(self, kills):
        """Starts, after starts that are killed after these parts of the time that one takes."""
        for part in kills:
            self.server.launch()
            time.sleep(self.start_time * part)
            self.kill()
        began = time.time()
        self.server.start()
        took = time.time() - began
        assert took < 10, f"{self.what}: a start took {took} s"
        self.start_time = 0.8 * self.start_time + 0.2 * took
        self.check()

    def remember(self, note):
        """A checkpoint that was published binds for ever."""
        checkpoint = tlog.Checkpoint(note, self.key)
        assert self.seen.setdefault(checkpoint.size, checkpoint.root) == checkpoint.root, f"{self.what}: two roots of size {checkpoint.size}"
        if self.newest:
            assert checkpoint.size >= self.newest.size, f"{self.what}: the log shrank from {self.newest.size} to {checkpoint.size}"
        self.newest = checkpoint
        return checkpoint

    def check(self):
        server, before = self.server, self.newest
        for path in (server.data / "history/segments").glob("*.segment"):
            first, end = path.stem.split("-")
            self.longest = max(self.longest, int(end) - int(first))
        assert server.get("/log/key").content.decode() == self.key_text, f"{self.what}: the log's key must survive"
        after = self.remember(server.get("/log/checkpoint").content.decode())
        if before:
            answer = server.call("GetConsistencyProof", {"From": before.size, "To": after.size})
            assert tlog.verify_consistency(
                before.size, after.size, [base64.b64decode(h) for h in answer["Hashes"]], before.root, after.root), self.what
        again = self.choose.sample(self.recent, min(3, len(self.recent))) if self.choose.random() < 0.3 else []
        again = [e for e in again if self.is_owed(e["eventId"])]
        if self.unanswered or again:
            answer = server.put(self.unanswered + again)
            assert answer.status == 200, f"{self.what}: {answer}"
            said = answer.json
            assert said["Accepted"] + said["Duplicates"] == len(self.unanswered + again), f"{self.what}: {answer}"
            assert said["Duplicates"] >= len(again) and "Conflicts" not in said, f"{self.what}: {answer}"
            self.retried += len(self.unanswered)
            self.unanswered = []
        names = self.choose.sample(list(self.sent), min(2, len(self.sent))) + [e["eventId"] for e in self.recent[-1:]]
        for name in filter(self.is_owed, names):
            found = walk_raw(server, "BACKWARD", [("EventId", name)])
            assert found == [self.sent[name][0]], f"{self.what}: {name} of day {self.sent[name][1]} on day {self.days}: {found}"

    def settle_accounts(self):
        """At the end all is compared, and the tree with every checkpoint that was ever published."""
        server, what = self.server, self.what
        held = [e for e in walk_raw(server, self.choose.choice(["FORWARD", "BACKWARD"])) if b'"crash-' in e]
        by_id = {json.loads(e)["eventId"]: e for e in held}
        assert len(held) == len(by_id), f"{what}: looked up twice"
        lost = [name for name in self.sent if self.is_owed(name) and name not in by_id]
        assert not lost, f"{what}: {len(lost)} lost: {lost[:5]}"
        assert all(self.sent[name][0] == body for name, body in by_id.items()), f"{what}: other bytes"
        final = self.remember(server.get("/log/checkpoint").content.decode())
        entries = tlog.entries(lambda path: server.get("/log/" + path).content, final.size)
        times = collections.Counter(entries)
        doubled = [name for name, (body, _) in self.sent.items() if times[hashlib.sha256(body).digest()] != 1]
        assert not doubled, f"{what}: {len(doubled)} are not exactly once in the tree: {doubled[:5]}"
        leaves = [tlog.leaf_hash(e) for e in entries]
        for size in self.choose.sample(sorted(self.seen), min(60, len(self.seen))) + [final.size]:
            assert tlog.root(leaves[:size]) == self.seen[size], f"{what}: size {size}"
        log = server.log()
        assert not [line for line in log.splitlines() if "damaged" in line or "background work failed" in line], what
        if self.days > 2 * self.RETENTION:
            assert (server.data / "history/floor").exists(), f"{what}: nothing was dropped"
            assert len(by_id) < len(self.sent), what
        if final.size > 20 * self.TAIL_ROWS:
            assert self.longest > 4 * self.TAIL_ROWS, f"{what}: nothing was joined"
        print(f"{what}: {self.kills} kills, {len(self.sent)} events, {self.retried} put again, {len(by_id)} still held, "
              f"{len(self.seen)} checkpoints, log of {final.size}, day {self.days}, starts in {self.start_time:.2f} s")


@pytest.mark.timeout(900)
def test_hundreds_of_kills(make_server, tmp_path):
    """Two servers side by side: a kill comes at every moment of the other's work, too."""
    print(f"CAIRN_CRASH_SEED={SEED} CAIRN_KILLS={KILLS}")
    survivors = [Survivor(make_server, tmp_path / name, name, SEED + n) for n, name in enumerate(("north", "south"))]
    with concurrent.futures.ThreadPoolExecutor(len(survivors)) as pool:
        for done in [pool.submit(survivor.run, KILLS // len(survivors)) for survivor in survivors]:
            done.result()


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
