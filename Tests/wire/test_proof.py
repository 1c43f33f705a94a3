# Proof: cairn verify on good and on tampered deliveries, cairn proof, and the log read independently of Cairn.
# SPDX-License-Identifier: Apache-2.0
import base64
import gzip
import hashlib
import json
import random
import shutil
import threading
import time

import pytest

import tlog
from support import compact, event, job_done, objects_of, wait_for


class Delivered:
    """A server with a delivered bucket, and the bucket downloaded."""

    def __init__(self, server, folder):
        self.server = server
        server.record([event(i, eventId=f"history-{i}") for i in range(40)])
        server.trail("proved-trail", "proved-bucket", EventRW="Write")
        for batch in range(4):
            server.record([event(i, eventId=f"proved-{batch}-{i}", eventRW="Read" if i % 4 == 0 else "Write",
                                 acsRegion=["cn-hangzhou", "cn-beijing"][i % 2]) for i in range(40)])
            server.settle("proved-trail")
        job = server.call("CreateDeliveryHistoryJob", {"TrailName": "proved-trail"})["JobId"]
        job_done(server, job)
        server.call("StopLogging", {"Name": "proved-trail"})
        # The event of the stop is the last one delivered, with its digest, and comes after its answer.
        def is_whole():
            objects = objects_of(server.bucket("proved-bucket"))
            time.sleep(1)
            return any(b'"StopLogging"' in gzip.decompress(body) for key, body in objects.items() if key.endswith(".gz")) and (
                objects == objects_of(server.bucket("proved-bucket")))
        wait_for(is_whole, what="the last delivery")
        server.cairn("bucket", "download", "proved-bucket", "--to", folder, check=0)
        self.key = server.get("/log/key").content.decode().strip()
        self.folder = folder


@pytest.fixture(scope="module")
def good(module_server, tmp_path_factory):
    return Delivered(module_server, tmp_path_factory.mktemp("delivered") / "good")


@pytest.fixture
def copy(good, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(good.folder, folder)
    return folder


def files(folder, digests=False):
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.name.endswith(".digest" if digests else ".gz"))


def key_of(path, folder):
    return path.relative_to(folder).as_posix()


def offline(good, folder, code):
    """Verification with the key alone: no service is asked."""
    done = good.server.cairn("verify", folder, "--key", good.key, "--output", "json", check=code, env={
        "CAIRN_ENDPOINT": "http://127.0.0.1:9", "CAIRN_OSS_ENDPOINT": "http://127.0.0.1:9"})
    return json.loads(done.stdout)


def test_a_good_folder_and_a_good_bucket(good):
    report = offline(good, good.folder, 0)
    assert report["findings"] == [] and report["digests"] == len(files(good.folder, digests=True)) >= 5
    assert report["objects"] == len(files(good.folder)) and report["events"] > 100
    done = good.server.cairn("verify", "--bucket", "proved-bucket", check=0)
    assert f"{report['events']} events".encode() in done.stdout
    keyfile = good.folder.parent / "log.key"
    keyfile.write_text(good.key + "\n")
    good.server.cairn("verify", good.folder, "--key", keyfile, check=0)


def test_a_folder_is_the_same_as_the_bucket(good):
    objects = objects_of(good.server.bucket("proved-bucket"))
    assert {key_of(p, good.folder): p.read_bytes() for p in files(good.folder) + files(good.folder, True)} == objects


def named(report, path, folder):
    return key_of(path, folder) in [f["key"] for f in report["findings"]]


@pytest.mark.parametrize("digests", [False, True], ids=["object", "digest"])
def test_one_flipped_bit_anywhere_is_named(good, copy, digests):
    choose = random.Random(99)
    for path in files(copy, digests):
        original = path.read_bytes()
        for at in {0, len(original) - 1, *(choose.randrange(len(original)) for _ in range(3))}:
            changed = bytearray(original)
            changed[at] ^= 1 << choose.randrange(8)
            path.write_bytes(bytes(changed))
            report = offline(good, copy, 1)
            assert named(report, path, copy), (path.name, at, report["findings"][:2])
        path.write_bytes(original)
    offline(good, copy, 0)


def test_every_missing_object_and_digest_is_told(good, copy):
    last = {}
    for path in files(copy, digests=True):
        digest = json.loads(path.read_bytes().split(b"\n\n")[2])
        last[digest["Chain"]] = max(last.get(digest["Chain"], (0, None)), (digest["End"], path))
    newest = {path for _, path in last.values()}
    for path in files(copy) + files(copy, digests=True):
        original = path.read_bytes()
        path.unlink()
        report = offline(good, copy, 1)
        if path not in newest:
            assert named(report, path, copy), (path, report["findings"])
        else:
            # Of the newest digest nothing tells but the objects that it named.
            assert report["findings"]
        path.write_bytes(original)
    offline(good, copy, 0)


def test_an_added_object_is_named(good, copy):
    source = files(copy)[0]
    extra = source.with_name(source.name.replace("_1002_", "_1003_"))
    extra.write_bytes(source.read_bytes())
    assert named(offline(good, copy, 1), extra, copy)
    extra.unlink()
    stray = copy / "AliyunLogs/Actiontrail/notes.txt"
    stray.write_text("hello")
    assert named(offline(good, copy, 1), stray, copy)


def test_swapped_objects_are_named(good, copy):
    first, second = files(copy)[:2]
    a, b = first.read_bytes(), second.read_bytes()
    first.write_bytes(b)
    second.write_bytes(a)
    report = offline(good, copy, 1)
    assert named(report, first, copy) and named(report, second, copy)


def test_swapped_digests_are_told(good, copy):
    first, second = files(copy, digests=True)[:2]
    a, b = first.read_bytes(), second.read_bytes()
    first.write_bytes(b)
    second.write_bytes(a)
    report = offline(good, copy, 1)
    assert report["findings"]


@pytest.mark.parametrize("digests", [False, True], ids=["object", "digest"])
def test_truncated_and_lengthened_files_are_named(good, copy, digests):
    path = files(copy, digests)[1]
    original = path.read_bytes()
    for changed in (original[:-1], original[:len(original) // 2], b"", original + b"\n", original + original):
        path.write_bytes(changed)
        assert named(offline(good, copy, 1), path, copy), (len(changed), len(original))


def test_a_rewritten_event_with_a_rewritten_digest_is_refused(good, copy):
    """Who may write the bucket but has not the log's key can mend the digest's hashes, and is still found out."""
    path = next(p for p in files(copy) if b"proved-1-" in gzip.decompress(p.read_bytes()))
    raw = gzip.decompress(path.read_bytes())
    content = gzip.compress(raw.replace(b'"userName":"mina"', b'"userName":"nobo"'))
    path.write_bytes(content)
    key = key_of(path, copy)
    digest = next(p for p in files(copy, digests=True) if key.encode() in p.read_bytes())
    head, signature, body = digest.read_bytes().split(b"\n\n", 2)
    fields = json.loads(body)
    for named_object in fields["Objects"]:
        if named_object["Key"] == key:
            named_object["SHA256"] = base64.b64encode(hashlib.sha256(content).digest()).decode()
            named_object["Size"] = len(content)
    body = compact(fields)
    head = head.split(b"\n")[0] + b"\nsha256 " + base64.b64encode(hashlib.sha256(body).digest())
    digest.write_bytes(head + b"\n\n" + signature + b"\n\n" + body + b"\n")
    assert named(offline(good, copy, 1), digest, copy)


def test_another_logs_key_is_refused(good, make_server):
    other = make_server()
    key = other.get("/log/key").content.decode().strip()
    assert key != good.key
    done = good.server.cairn("verify", good.folder, "--key", key)
    assert done.returncode == 1, done
    for nonsense in ("", "nonsense", good.key[:-4], good.key.replace("+", "-")):
        done = good.server.cairn("verify", good.folder, "--key", nonsense or "x")
        assert done.returncode == 2, done


def test_verify_names_what_is_missing_to_people(good, copy, tmp_path):
    path = files(copy)[2]
    path.unlink()
    done = good.server.cairn("verify", copy, "--key", good.key, check=1)
    assert b"NOT VERIFIED" in done.stdout and key_of(path, copy).encode() in done.stdout
    empty = tmp_path / "empty"
    empty.mkdir()
    assert good.server.cairn("verify", empty, "--key", good.key).returncode == 1, "nothing is no proof of anything"
    assert good.server.cairn("verify", tmp_path / "absent", "--key", good.key).returncode == 2
    assert good.server.cairn("verify", "--bucket", "no-such-bucket-here").returncode == 1


def test_digest_signatures_are_what_they_say(good):
    """The format, read with nothing of Cairn's: a signed note over the body's hash, and chains that connect."""
    key = tlog.VerifierKey(good.key)
    chains = {}
    for path in files(good.folder, digests=True):
        content = path.read_bytes()
        head, signature, body = content.split(b"\n\n", 2)
        text = key.open((head + b"\n\n" + signature + b"\n").decode())
        body = body.rstrip(b"\n")
        assert text == "cairn-digest@v1\nsha256 " + base64.b64encode(hashlib.sha256(body).digest()).decode() + "\n"
        fields = json.loads(body)
        chains.setdefault(fields["Chain"], []).append((fields["First"], key_of(path, good.folder), content, fields))
        checkpoint = tlog.Checkpoint(fields["Checkpoint"], key)
        assert checkpoint.size == fields["End"]
        for named_object in fields["Objects"]:
            data = (good.folder / named_object["Key"]).read_bytes()
            assert base64.b64encode(hashlib.sha256(data).digest()).decode() == named_object["SHA256"]
            assert sum(last - first + 1 for first, last in named_object["Sequences"]) == named_object["Count"]
    assert len(chains) == 2
    for chain in chains.values():
        chain.sort()
        before = None
        for _, key_text, content, fields in chain:
            if before is None:
                assert not fields.get("Previous")
            else:
                assert fields["Previous"] == {"key": before[0], "sha256": base64.b64encode(hashlib.sha256(before[1]).digest()).decode()}
            before = (key_text, content)


# The log itself


def fetch(server):
    def get(path):
        answer = server.get("/log/" + path)
        assert answer.status == 200, (path, answer)
        return answer.content
    return get


def test_the_tree_recomputed_from_its_entries(make_server):
    server = make_server()
    key = tlog.VerifierKey(server.get("/log/key").content.decode())
    checkpoints = []
    puts = [1, 1, 254, 1, 3, 300, 200]
    for number, count in enumerate(puts):
        server.record([event(i, eventId=f"tree-{number}-{i}") for i in range(count)])
        checkpoints.append(tlog.Checkpoint(server.get("/log/checkpoint").content.decode(), key))
    final = checkpoints[-1]
    assert final.size >= sum(puts)
    get = fetch(server)
    entries = tlog.entries(get, final.size)
    leaves = [tlog.leaf_hash(e) for e in entries]
    for checkpoint in checkpoints:
        assert tlog.root(leaves[:checkpoint.size]) == checkpoint.root, checkpoint.size
    assert tlog.level_hashes(get, 0, final.size) == leaves
    assert tlog.level_hashes(get, 1, final.size) == [tlog.root(leaves[i:i + 256]) for i in range(0, final.size // 256 * 256, 256)]
    # An entry is the SHA-256 of an event's bytes.
    for number, count in enumerate(puts):
        answer = server.call("GetEventProof", {"EventId": f"tree-{number}-{count - 1}"})
        raw = base64.b64decode(answer["EventBytes"])
        assert entries[answer["Sequence"]] == hashlib.sha256(raw).digest()
        proof = tlog.Proof(answer["Proof"])
        checkpoint = tlog.Checkpoint(proof.checkpoint, key)
        assert proof.index == answer["Sequence"]
        leaf = tlog.leaf_hash(hashlib.sha256(raw).digest())
        assert tlog.verify_inclusion(leaf, proof.index, checkpoint.size, proof.path, checkpoint.root)
        assert not tlog.verify_inclusion(leaf, proof.index ^ 1, checkpoint.size, proof.path, checkpoint.root)
        forged = tlog.leaf_hash(hashlib.sha256(raw + b" ").digest())
        assert not tlog.verify_inclusion(forged, proof.index, checkpoint.size, proof.path, checkpoint.root)
    for earlier in checkpoints[:-1]:
        answer = server.call("GetConsistencyProof", {"From": earlier.size, "To": final.size})
        hashes = [base64.b64decode(h) for h in answer["Hashes"]]
        assert tlog.Checkpoint(answer["Checkpoint"], key).root == final.root
        assert tlog.verify_consistency(earlier.size, final.size, hashes, earlier.root, final.root)
        if hashes:
            assert not tlog.verify_consistency(earlier.size, final.size, hashes[:-1], earlier.root, final.root)
    for bad in ({}, {"From": -1}, {"From": 10**9}, {"From": 3, "To": 2}, {"From": "x"}, {"From": 1, "To": 10**12}):
        answer = server.rpc("GetConsistencyProof", bad)
        assert answer.status == 400, (bad, answer)


def test_tiles_that_do_not_exist_are_404(server, good):
    size = int(server.get("/log/checkpoint").content.split()[1])
    for path in ("tile/0/999", f"tile/0/{size // 256:03d}.p/256", "tile/0/000.p/0", "tile/63/000", "tile/64/000", "tile/0/0", "tile/0/x000/000/000",
                 "tile/0/000.p/01", "tile/00/000", "tile/entries/999", "tile", "tile/", "tile/0", "tile/1/000.p/255", "nothing", "", "checkpoint/"):
        assert server.get("/log/" + path).status == 404, path
    for method in ("POST", "PUT", "DELETE"):
        assert server.session.request(method, server.api + "/log/checkpoint", timeout=10).status_code == 405


def test_partial_tiles_of_every_width(server, good):
    size = int(server.get("/log/checkpoint").content.split()[1])
    get = fetch(server)
    widest = size % 256 if size < 256 else 255
    whole = get(f"tile/0/000.p/{widest}")
    for width in (1, 2, 100, widest - 1):
        assert get(f"tile/0/000.p/{width}") == whole[:32 * width]


def test_checkpoints_never_contradict_while_events_arrive(server):
    key = tlog.VerifierKey(server.get("/log/key").content.decode())
    seen, stopping = {}, threading.Event()

    def put():
        number = 0
        while not stopping.is_set():
            server.record([event(number)])
            number += 1

    thread = threading.Thread(target=put)
    thread.start()
    try:
        for _ in range(150):
            checkpoint = tlog.Checkpoint(server.get("/log/checkpoint").content.decode(), key)
            assert seen.setdefault(checkpoint.size, checkpoint.root) == checkpoint.root
            assert checkpoint.size == max(seen)
    finally:
        stopping.set()
        thread.join()
    assert len(seen) > 5
    final = tlog.Checkpoint(server.get("/log/checkpoint").content.decode(), key)
    leaves = [tlog.leaf_hash(e) for e in tlog.entries(fetch(server), final.size)]
    for size in seen:
        assert tlog.root(leaves[:size]) == seen[size]


# cairn proof and cairn verify


@pytest.mark.parametrize("embed", [False, True], ids=["beside", "inside"])
def test_cairn_proof_is_accepted_offline(server, tmp_path, embed):
    e = event(1, eventId=f"to-prove-{embed}")
    server.record([e])
    server.record([event(i) for i in range(20)])
    key = server.get("/log/key").content.decode().strip()
    server.cairn("proof", e["eventId"], "--to", tmp_path, *(["--embed"] if embed else []), check=0)
    proof = tmp_path / f"{e['eventId']}.tlog-proof"
    beside = tmp_path / f"{e['eventId']}.json"
    assert beside.exists() != embed
    if not embed:
        assert beside.read_bytes() == compact(e)
    nowhere = {"CAIRN_ENDPOINT": "http://127.0.0.1:9"}
    arguments = [] if embed else ["--event", beside]
    done = server.cairn("verify", proof, "--key", key, *arguments, check=0, env=nowhere)
    assert e["eventId"].encode() in done.stdout
    done = server.cairn("verify", proof, "--key", key, "--output", "json", *arguments, check=0, env=nowhere)
    assert json.loads(done.stdout)["Event"] == e
    # The proof, read independently.
    text = proof.read_text()
    parsed = tlog.Proof(text)
    checkpoint = tlog.Checkpoint(parsed.checkpoint, tlog.VerifierKey(key))
    raw = parsed.extra if embed else compact(e)
    assert raw == compact(e)
    assert tlog.verify_inclusion(tlog.leaf_hash(hashlib.sha256(raw).digest()), parsed.index, checkpoint.size, parsed.path, checkpoint.root)
    # An altered event, an altered proof.
    altered = tmp_path / "altered.json"
    altered.write_bytes(compact(dict(e, sourceIpAddress="192.0.2.11")))
    assert server.cairn("verify", proof, "--key", key, "--event", altered, env=nowhere).returncode == 1
    lines = text.split("\n")
    index = next(i for i, line in enumerate(lines) if line.startswith("index "))
    for change in (
        lambda l: l[:index] + [f"index {parsed.index + 1}"] + l[index + 1:],
        lambda l: l[:index + 1] + l[index + 2:],
        lambda l: l[:index + 1] + [base64.b64encode(bytes(32)).decode()] + l[index + 2:],
        lambda l: [x.replace(str(checkpoint.size), str(checkpoint.size + 1)) if x == str(checkpoint.size) else x for x in l],
        lambda l: ["c2sp.org/tlog-proof@v2"] + l[1:],
        lambda l: l[:-2] + [l[-2][:-3] + "AA="] + l[-1:],
    ):
        bad = tmp_path / "bad.tlog-proof"
        bad.write_text("\n".join(change(list(lines))))
        done = server.cairn("verify", bad, "--key", key, *arguments, env=nowhere)
        assert done.returncode == 1, (bad.read_text(), done.stdout, done.stderr)
    done = server.cairn("proof", e["eventId"], "--stdout", check=0)
    assert tlog.Proof(done.stdout.decode()).extra == compact(e)


def test_proof_of_an_unknown_event(server):
    done = server.cairn("proof", "no-such-event-anywhere")
    assert done.returncode in (1, 3) and b"EventNotFound" in done.stderr or b"no event" in done.stderr.lower(), done


def test_a_kept_checkpoint_is_checked_against_the_log_of_today(server, tmp_path):
    kept = tmp_path / "checkpoint"
    kept.write_bytes(server.get("/log/checkpoint").content)
    server.record([event(i) for i in range(30)])
    done = server.cairn("verify", kept, check=0)
    assert b"consistent" in done.stdout
    forged = tmp_path / "forged"
    forged.write_bytes(kept.read_bytes().replace(b"\n", b"\n1", 1))
    assert server.cairn("verify", forged).returncode == 1


def test_event_ids_with_odd_characters_can_be_proved(server, tmp_path):
    name = "odd/../id 中文?*"
    server.record([event(1, eventId=name)])
    server.cairn("proof", name, "--to", tmp_path, check=0)
    made = sorted(p.name for p in tmp_path.iterdir())
    assert len(made) == 2 and all("/" not in n for n in made), made
    proof = next(p for p in tmp_path.iterdir() if p.suffix == ".tlog-proof")
    server.cairn("verify", proof, "--event", proof.with_suffix(".json"), check=0)
