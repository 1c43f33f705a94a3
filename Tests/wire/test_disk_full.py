# A full disk: recording is refused clearly, reading goes on, recording resumes when there is room, nothing acknowledged is lost.
# SPDX-License-Identifier: Apache-2.0
import json
import os
import subprocess

import pytest

from support import delivered, event, wait_for


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 MB, as root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs", str(folder)], capture_output=True)
    if done.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path, leave=0):
    """Takes all the room of the file system but some bytes."""
    with open(path, "wb", buffering=0) as ballast:
        block = bytes(1 << 20)
        while True:
            try:
                if ballast.write(block) < len(block):
                    block = block[:len(block) // 2] or b"\0"
            except OSError:
                if len(block) == 1:
                    break
                block = block[:len(block) // 2]
    size = os.path.getsize(path)
    if leave:
        os.truncate(path, max(size - leave, 0))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("leave", [0, 300_000])
def test_disk_full(small_disk, make_server, leave):
    server = make_server(folder=small_disk)
    token = server.call("CreateIngestToken", {"Name": "disk"})["IngestToken"]
    server.trail("disk-trail", "disk-bucket")
    acknowledged = []

    def put(name, count=20, size=2000):
        batch = [event(i, eventId=f"{name}-{i}", filler=os.urandom(size // 2).hex()) for i in range(count)]
        answer = server.put(batch, token=token)
        if answer.status == 200:
            assert answer.json["Accepted"] == count
            acknowledged.extend(e["eventId"] for e in batch)
        return answer, batch

    for number in range(20):
        assert put(f"room-{number}")[0].status == 200
    server.settle("disk-trail")
    fill(small_disk / "ballast", leave)
    refused = None
    for number in range(200):
        answer, batch = put(f"full-{number}")
        if answer.status != 200:
            refused = answer, batch
            break
    assert refused, "the disk never got full"
    answer, batch = refused
    assert (answer.status, answer.code) == (503, "ServiceUnavailable"), answer
    assert int(answer.headers["Retry-After"]) >= 1
    # Reading goes on; health tells; changes are refused, for they could not be recorded.
    ids = server.ids([("ServiceName", "Ecs")])
    assert set(acknowledged) <= set(ids) and len(ids) == len(set(ids))
    assert server.ids([("EventId", acknowledged[0])]) == [acknowledged[0]]
    assert server.get("/log/checkpoint").status == 200
    assert server.call("GetEventProof", {"EventId": acknowledged[0]})["Proof"]
    # The newest events may lie past the last checkpoint that could be written: then that is said.
    answer = server.rpc("GetEventProof", {"EventId": acknowledged[-1]})
    assert answer.status == 200 or (answer.status, answer.code) == (503, "ServiceUnavailable"), answer
    if leave == 0:
        assert server.get("/healthz").status == 503
        assert b"cairn_can_record 0" in server.get("/metrics").content
        change = server.rpc("CreateTrail", {"Name": "not-now-trail", "OssBucketName": "disk-bucket"})
        assert change.status == 503 and change.code == "ServiceUnavailable", change
    assert server.bucket("disk-bucket").list_objects_v2().object_list is not None
    for number in range(30):
        # With crumbs of room left a small batch may still find its place.
        assert server.put(batch, token=token).status == 503 if leave == 0 else put(f"crumb-{number}", count=1)[0].status in (200, 503)
    # Room again.
    os.remove(small_disk / "ballast")
    answer = wait_for(lambda: (lambda a: a.status == 200 and a)(server.put(batch, token=token)), wait=30, what="recording to resume")
    assert answer.json["Accepted"] == len(batch), "nothing of a refused batch had been recorded"
    assert not set(e["eventId"] for e in batch) & set(acknowledged)
    acknowledged += [e["eventId"] for e in batch]
    wait_for(lambda: server.get("/healthz").status == 200, what="health")
    assert put("after")[0].status == 200
    ids = server.ids([("ServiceName", "Ecs")])
    assert set(acknowledged) <= set(ids) and len(ids) == len(set(ids))
    # The lookups made meanwhile were recorded when there was room.
    assert server.rpc("DescribeTrails").status == 200
    wait_for(lambda: len(server.lookup([("EventName", "LookupEvents")], limit=500)) > 5, what="the recorded lookups")
    server.settle("disk-trail", wait=90)
    found = [json.loads(e)["eventId"] for e in delivered(server.bucket("disk-bucket"))]
    assert set(acknowledged) <= set(found) and len(found) == len(set(found))
    server.cairn("verify", "--bucket", "disk-bucket", check=0)
    assert server.stop() == 0
    server.start()
    assert set(acknowledged) <= set(server.ids([("ServiceName", "Ecs")]))
    server.kill()
    server.start()
    assert set(acknowledged) <= set(server.ids([("ServiceName", "Ecs")]))


def test_kill_and_restart_while_the_disk_is_full(small_disk, make_server):
    server = make_server(folder=small_disk)
    token = server.call("CreateIngestToken", {"Name": "disk"})["IngestToken"]
    batch = [event(i, eventId=f"kept-{i}") for i in range(100)]
    assert server.put(batch, token=token).status == 200
    fill(small_disk / "ballast")
    wait_for(lambda: server.put([event(1, filler=os.urandom(20_000).hex())], token=token).status == 503, what="a full disk")
    server.kill()
    started = None
    try:
        started = server.start(wait=20)
    except AssertionError:
        # A start that needs room may refuse, but it has to say why, and to work once there is room.
        assert server.process.wait(10) == 3, server.log()[-800:]
        assert "space" in server.log()[-2000:] or "full" in server.log()[-2000:], server.log()[-800:]
    if started:
        assert {f"kept-{i}" for i in range(100)} <= set(server.ids([("ServiceName", "Ecs")]))
    os.remove(small_disk / "ballast")
    if not started:
        server.start()
    wait_for(lambda: server.put([event(2, eventId="room-again")], token=token).status == 200, what="recording to resume")
    held = server.ids([("ServiceName", "Ecs")])
    assert {f"kept-{i}" for i in range(100)} | {"room-again"} <= set(held) and len(held) == len(set(held))
